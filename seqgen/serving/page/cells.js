const ENOUGH = 1000; // characters to find what cells follow
const NOTHING = "No cell follows more than chance would find.";
const LONGER = "A text of 1,000 characters or more tells more.";
const SCORED =
  "Chosen on the first half of the text, scored on the second; an AUC of 0.5 tells nothing. By chance: " +
  "95 % of properties that have nothing to do with the text stay below.";

/** The part of a generator's tab that colours a text by a cell of the network. */
function cellsPart(model, curl, written) {
  const requests = new Requests(curl);
  const own = textArea("", { name: "cells_text", placeholder: "The text above, or one of your own" });
  const view = new CellView(model.cells.reduce((sum, { size }) => sum + size, 0));
  const show = element("button", { type: "button", onclick: asked }, "Show the cells");

  function asked() {
    const json = { model: model.name, text: own.value || written(), unseen: "replace" };
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

/** A text coloured by one of a network's cells, through which arrow keys and buttons step. */
class CellView {
  constructor(size) {
    this.size = size;
    this.text = new TokenText("Text by cell", (token) => this.look(token), (number) => this.tell(number));
    this.name = element("p", { class: "cell-name", role: "status" });
    this.value = element("p", { class: "status note" });
    this.rows = element("tbody");
    const step = (by, label, arrow) =>
      element("button", { type: "button", "aria-label": label, onclick: () => this.step(by) }, arrow);
    const steps = [step(-1, "Previous cell", "←"), step(1, "Next cell", "→")];
    const stepper = element("div", { class: "row", role: "group", "aria-label": "Cell" }, ...steps, this.name);
    stepper.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by) this.step(by);
    });
    const heads = ["Follows", "", "AUC", "By chance", "Cell"].map((one) => element("th", { scope: "col" }, one));
    this.table = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), this.rows);
    this.which = element("p", { class: "status" });
    this.about = element("p", { class: "status" });
    this.element = element(
      "div",
      { hidden: true },
      stepper,
      this.which,
      legend("Value", [
        ["below 0", { name: "below" }],
        ["above 0", { name: "above" }],
        ["underlined: what it follows", { name: "marked" }],
      ]),
      this.text.element,
      this.value,
      element("div", { class: "wide" }, this.table),
      this.about,
    );
  }

  show({ tokens, cells, values, scale, properties }) {
    this.cells = cells;
    this.scale = scale;
    this.values = signedBytes(values);
    this.followed = properties.filter(({ auc, null_high: chance }) => auc > chance);
    [this.cell, this.marks] = [0, []];
    this.text.show(tokens.map((text, place) => ({ text, place })));
    this.rows.replaceChildren(...this.followed.map((one) => this.row(one)));
    this.table.hidden = this.followed.length === 0;
    const shown = `${cells.length} of ${this.size} cells: those that follow something, then those that vary most.`;
    this.which.textContent = cells.length < this.size ? shown : "";
    const longer = tokens.join("").length < ENOUGH ? LONGER : "";
    this.about.textContent = `${this.followed.length > 0 ? SCORED : NOTHING} ${longer}`;
    this.element.hidden = false;
    this.select(this.followed[0]?.place ?? 0);
  }

  row(followed) {
    const { property, kind, layer, cell, auc, null_high: chance, place } = followed;
    const choose = element("button", { type: "button" }, property);
    const texts = [kind, auc.toFixed(2), chance.toFixed(2), named(layer, cell)];
    const cells = [choose, ...texts].map((one) => element("td", {}, one));
    return element("tr", { onclick: () => this.select(place, followed) }, ...cells);
  }

  /** Colour the text by a cell, and underline a property that it follows, where there is one. */
  select(place, followed = this.followed.find((one) => one.place === place)) {
    this.cell = place;
    this.marks = followed ? signedBytes(followed.marks) : [];
    this.text.repaint();
    const { layer, cell } = this.cells[place];
    const what = followed ? `, follows ${followed.property}` : "";
    this.name.textContent = `${place + 1} of ${this.cells.length}: ${named(layer, cell)}${what}`;
    [...this.rows.rows].forEach((row, number) => row.classList.toggle("lit", this.followed[number] === followed));
  }

  step(by) {
    this.select((this.cell + by + this.cells.length) % this.cells.length);
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
  return new Int8Array(bytes(text).buffer);
}

function named(layer, cell) {
  return `layer ${layer}, cell ${cell}`;
}
