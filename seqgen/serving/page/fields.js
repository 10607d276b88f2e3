/** Options with a slider each. `off` is the slider's end that stands for no value. */
const OPTIONS = {
  temperature: { label: "Temperature", least: 0.1, most: 2, step: 0.05 },
  top_k: { label: "Top-k", least: 0, most: 100, step: 1, off: 0 },
  top_p: { label: "Top-p", least: 0.05, most: 1, step: 0.05, off: 1 },
  seed: { label: "Random seed", least: 0, most: 100, step: 1, off: 0, none: "new" },
  max_new_tokens: { label: "Length in tokens", least: 1, most: 1000, step: 1 },
  num_beams: { label: "Beams", least: 1, most: 20, step: 1 },
  num_return_sequences: { label: "How many", least: 1, most: 20, step: 1 },
  length_penalty: { label: "Length penalty", least: -1, most: 2, step: 0.1 },
};

/** A number with a slider beside it; where it is empty, its value is null, or `own` of an option that is never off. */
class NumberField {
  constructor(name, own, value = own, label) {
    const { least, most, step, off, none = "off", label: usual } = OPTIONS[name];
    this.off = off;
    this.empty = off === undefined ? own : null;
    const placeholder = this.empty ?? none;
    this.number = element("input", { type: "number", name, min: least, step, placeholder });
    const range = { type: "range", min: least, max: most, step, tabindex: -1, "aria-hidden": "true" };
    this.slider = element("input", range); // the number is for the keyboard
    this.slider.addEventListener("input", () => this.slid());
    this.number.addEventListener("input", () => this.place());
    this.element = labelled(label ?? usual, element("span", { class: "number-field" }, this.number, this.slider));
    this.set(value);
  }

  set(value) {
    this.number.value = value ?? "";
    this.place();
  }

  get value() {
    return this.number.value === "" ? this.empty : Number(this.number.value);
  }

  slid() {
    const value = Number(this.slider.value);
    this.number.value = value === this.off ? "" : value;
  }

  place() {
    this.slider.value = this.value ?? this.off ?? this.slider.min;
  }
}

/** The options of a model in fields, of which only those that differ from the model's own are sent. */
class Options {
  constructor(names, own, first = {}) {
    this.own = own;
    this.fields = Object.fromEntries(
      names.map((name) => [name, new NumberField(name, own[name] ?? null, first[name])]),
    );
    const fields = element("div", { class: "options" }, ...Object.values(this.fields).map((one) => one.element));
    const open = matchMedia("(min-width: 40rem)").matches; // a telephone has no room for them beside the answer
    this.element = element("details", { class: "fold", open }, element("summary", {}, "Options"), fields);
  }

  value(name) {
    return this.fields[name].value;
  }

  changed() {
    const values = Object.entries(this.fields).map(([name, field]) => [name, field.value]);
    return Object.fromEntries(values.filter(([name, value]) => value !== (this.own[name] ?? null)));
  }
}

/** A function that does the work when it was not called again for 300 ms. */
function debounced(work) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, 300);
  };
}
