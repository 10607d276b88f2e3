const FEW = 12; // categories that a list shows at once; more are searched

/** The tab of a conditional generator: texts for a category, or for numbers. */
function namesTab(model) {
  const curl = new Curl();
  const requests = new Requests(curl);
  const condition = model.conditions ? new Category(model) : new Numbers(model);
  const options = new Options(
    ["num_return_sequences", "temperature", "top_k", "top_p", "seed", "max_new_tokens"],
    model.options,
    { num_return_sequences: 8 },
  );
  const prompt = element("input", { type: "text", name: "prompt", autocomplete: "off", spellcheck: "false" });
  const list = element("ol", { class: "names", "aria-label": "Texts" });
  const write = element("button", { type: "submit", class: "main" }, "Write");

  function start(event) {
    event?.preventDefault();
    const seed = options.value("seed") ?? Math.floor(1e6 * Math.random());
    const chosen = { condition: condition.value, prompt: prompt.value };
    const json = { model: model.name, ...chosen, ...options.changed(), seed };
    requests.run({ path: "/api/generate", json }, ({ texts }) => {
      list.replaceChildren(
        ...texts.map(({ text, score }) =>
          element("li", {}, element("span", {}, text), element("span", { class: "number" }, score.toFixed(2))),
        ),
      );
      requests.status.textContent = `Random seed ${seed}; the numbers are log-probabilities in nats.`;
    });
  }

  const fields = element(
    "form",
    { onsubmit: start, novalidate: true },
    element("div", { class: "options" }, ...condition.elements, labelled("Begins with", prompt)),
    options.element,
    element("div", { class: "row" }, write),
  );
  condition.elements.forEach((one) => one.addEventListener("change", () => start()));
  start();
  return element("div", {}, fields, requests.element, list, curl.element);
}

/** A category to choose: a list, or a field that searches where there are many. */
class Category {
  constructor({ name, conditions }) {
    const options = conditions.map((one) => element("option", { value: one }, one));
    if (conditions.length <= FEW) {
      this.control = element("select", { name: "condition" }, ...options);
      this.elements = [labelled("Category", this.control)];
    } else {
      const list = element("datalist", { id: `conditions of ${name}`.replaceAll(" ", "-") }, ...options);
      this.control = element("input", { name: "condition", list: list.id, value: conditions[0], autocomplete: "off" });
      this.elements = [labelled(`Category (${conditions.length}, type to search)`, this.control), list];
    }
  }

  get value() {
    return this.control.value;
  }
}

/** The numbers of a condition, a field each. */
class Numbers {
  constructor({ numbers }) {
    const fields = Array.from({ length: numbers }, (_, place) => `Number ${place + 1}`);
    this.controls = fields.map(() => element("input", { type: "number", step: "any", value: 0 }));
    this.elements = fields.map((label, place) => labelled(label, this.controls[place]));
  }

  get value() {
    return this.controls.map((one) => Number(one.value));
  }
}
