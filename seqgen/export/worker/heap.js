/** Values of which the greatest comes out first. */
class Heap {
  constructor(compare) {
    [this.compare, this.values] = [compare, []];
  }

  push(value) {
    let place = this.values.push(value) - 1;
    for (let parent; place > 0; place = parent) {
      parent = (place - 1) >> 1;
      if (this.compare(this.values[parent], value) >= 0) break;
      this.values[place] = this.values[parent];
    }
    this.values[place] = value;
  }

  pop() {
    const { values, compare } = this;
    const greatest = values[0];
    const value = values.pop();
    if (values.length === 0) return greatest;
    let place = 0;
    for (let child; (child = 2 * place + 1) < values.length; place = child) {
      if (child + 1 < values.length && compare(values[child + 1], values[child]) > 0) child += 1;
      if (compare(value, values[child]) >= 0) break;
      values[place] = values[child];
    }
    values[place] = value;
    return greatest;
  }
}
