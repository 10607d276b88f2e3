/** The part of a generator's tab that colours a text by a cell of the network. */
function cellsPart(model, curl, written) {
  const requests = new Requests(curl);
  const own = textArea("", { name: "cells_text", placeholder: "The text above, or one of your own" });
  const view = new CellView();
  const show = element("button", { type: "button", onclick: asked }, "Show the cells");

  function asked() {
    const json = { model: model.name, text: own.value || written() };
    requests.run({ path: "/api/cells", json }, (answer) => view.show(answer));
  }

  return element(
    "details",
    { class: "cells", ontoggle: () => view.element.hidden && written() && asked() },
    element("summary", {}, "What the cells of the network follow"),
    labelled("Text", own),
    element("div", { class: "row" }, show),
    requests.element,
    view.element,
  );
}

/** A text coloured by one of many cells, through which arrow keys and buttons step. */
class CellView {
  constructor() {
    this.text = new TokenText("Text by cell", (token) => this.look(token), (number) => this.tell(number));
    this.name = element("p", { class: "cell-name", role: "status" });
    this.value = element("p", { class: "status note" });
    this.rows = element("tbody");
    const step = (by, label, arrow) =>
      element("button", { type: "button", "aria-label": label, onclick: () => this.select(this.cell + by) }, arrow);
    const steps = [step(-1, "Previous cell", "←"), step(1, "Next cell", "→")];
    const stepper = element("div", { class: "row", role: "group", "aria-label": "Cell" }, ...steps, this.name);
    stepper.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by) this.select(this.cell + by);
    });
    const heads = ["Follows", "", "Cell", "AUC", "By chance"].map((one) => element("th", { scope: "col" }, one));
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), this.rows);
    this.about = element("p", { class: "status" });
    this.element = element(
      "div",
      { hidden: true },
      stepper,
      legend("Value", [
        ["below 0", { name: "below" }],
        ["above 0", { name: "above" }],
        ["underlined: what it follows", { name: "marked" }],
      ]),
      this.text.element,
      this.value,
      element("div", { class: "wide" }, table),
      this.about,
    );
  }

  show({ tokens, cells, values, scale, properties }) {
    this.cells = cells;
    this.scale = scale;
    this.values = signedBytes(values);
    this.properties = properties;
    [this.cell, this.marks] = [0, []];
    this.text.show(tokens.map((text, place) => ({ text, place })));
    this.rows.replaceChildren(...properties.map((one, row) => this.row(one, row)));
    this.about.textContent = properties.length
      ? "Chosen on the first half of the text, scored on the second; 0.5 tells nothing. By chance: " +
        "95 % of properties that have nothing to do with the text stay below."
      : "A longer text says what they follow.";
    this.element.hidden = false;
    if (properties.length) this.selectRow(0);
    else this.select(0);
  }

  row({ property, kind, layer, cell, auc, null_high: chance }, row) {
    const choose = element("button", { type: "button" }, property);
    const texts = [kind, named(layer, cell), auc.toFixed(2), chance.toFixed(2)];
    const cells = [choose, ...texts].map((one) => element("td", {}, one));
    return element("tr", { onclick: () => this.selectRow(row) }, ...cells);
  }

  /** Colour the text by the cell that follows a property, and underline the property. */
  selectRow(row) {
    this.select(this.properties[row].place, row);
  }

  select(place, row = null) {
    this.cell = (place + this.cells.length) % this.cells.length;
    this.marks = row === null ? [] : signedBytes(this.properties[row].marks);
    this.text.repaint();
    const { layer, cell, follows } = this.cells[this.cell];
    const what = row === null ? follows : this.properties[row].property;
    this.name.textContent =
      `${this.cell + 1} of ${this.cells.length}: ${named(layer, cell)}${what ? `, follows ${what}` : ""}`;
    [...this.rows.rows].forEach((one, number) => one.classList.toggle("lit", number === row));
  }

  look({ place }) {
    const { name, strength } = byValue(this.valueOf(place));
    return { name: this.marks[place] > 0 ? `${name} marked` : name, strength };
  }

  valueOf(place) {
    return this.values[this.cell * this.text.tokens.length + place] / 127;
  }

  tell(number) {
    const token = this.text.tokens[number];
    this.value.textContent = token ? `${visible(token.text)}: ${(this.valueOf(number) * this.scale).toFixed(2)}` : "";
  }
}

/** The signed bytes that a text has in base64. */
function signedBytes(text) {
  return new Int8Array(Uint8Array.from(atob(text), (one) => one.charCodeAt(0)).buffer);
}

function named(layer, cell) {
  return `layer ${layer}, cell ${cell}`;
}
