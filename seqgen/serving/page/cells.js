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
    this.text = new TokenText("Text by cell", ({ value = 0 }) => byValue(value), (number) => this.tell(number));
    this.name = element("p", { class: "cell-name", role: "status" });
    this.value = element("p", { class: "status note" });
    this.rows = element("tbody");
    const step = (by, label) =>
      element("button", { type: "button", "aria-label": label, onclick: () => this.select(this.cell + by) });
    this.back = step(-1, "Previous cell");
    this.next = step(1, "Next cell");
    this.back.textContent = "←";
    this.next.textContent = "→";
    const stepper = element("div", { class: "row", role: "group", "aria-label": "Cell" }, this.back, this.next, this.name);
    stepper.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by) this.select(this.cell + by);
    });
    const heads = ["Follows", "Cell", "AUC", "By chance"].map((one) => element("th", { scope: "col" }, one));
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), this.rows);
    this.element = element(
      "div",
      { hidden: true },
      stepper,
      legend("Value", [
        ["−1", { name: "below" }],
        ["0", {}],
        ["1", { name: "above" }],
      ]),
      this.text.element,
      this.value,
      element("div", { class: "wide" }, table),
    );
  }

  show({ tokens, cells, values }) {
    this.cells = cells;
    this.values = new Int8Array(Uint8Array.from(atob(values), (one) => one.charCodeAt(0)).buffer);
    this.text.show(tokens.map((text, place) => ({ text, place })));
    this.rows.replaceChildren(...cells.flatMap((cell, place) => (cell.follows ? [this.row(cell, place)] : [])));
    this.element.hidden = false;
    this.select(0);
  }

  row({ follows, layer, cell, auc, null: chance }, place) {
    const choose = element("button", { type: "button", onclick: () => this.select(place) }, follows);
    const numbers = [named(layer, cell), auc.toFixed(2), chance.toFixed(2)].map((one) => element("td", {}, one));
    const row = element("tr", { onclick: () => this.select(place) }, element("td", {}, choose), ...numbers);
    row.dataset.place = place;
    return row;
  }

  /** Colour the text by a cell. */
  select(place) {
    this.cell = (place + this.cells.length) % this.cells.length;
    const first = this.cell * this.text.tokens.length;
    for (const token of this.text.tokens) token.value = this.values[first + token.place] / 127;
    this.text.repaint();
    const { layer, cell, follows } = this.cells[this.cell];
    const what = follows ? `, follows ${follows}` : "";
    this.name.textContent = `${this.cell + 1} of ${this.cells.length}: ${named(layer, cell)}${what}`;
    for (const row of this.rows.rows) row.classList.toggle("lit", Number(row.dataset.place) === this.cell);
  }

  tell(number) {
    const token = this.text.tokens[number];
    this.value.textContent = token ? `${visible(token.text)}: ${token.value.toFixed(2)}` : "";
  }
}

function named(layer, cell) {
  return `layer ${layer + 1}, cell ${cell}`;
}
