/** Attention of target pieces to source pieces: both sentences and a matrix, which light up together. */
class Attention {
  constructor() {
    const chosen = (side) => (number) => this.light(...(side === "target" ? [number, null] : [null, number]));
    this.source = new TokenText("Source", (token) => this.look(token), chosen("source"));
    this.target = new TokenText("Target", (token) => this.look(token), chosen("target"));
    this.table = element("table");
    this.table.addEventListener("pointerover", (event) => this.over(event.target.closest("td, th")));
    this.table.addEventListener("pointerleave", () => this.light(null, null));
    const scrolled = { class: "matrix", tabindex: 0, role: "group", "aria-label": "Attention" };
    const matrix = element("div", scrolled, this.table);
    this.element = element(
      "div",
      { class: "attention" },
      element("h3", {}, "Attention"),
      this.source.element,
      this.target.element,
      matrix,
    );
  }

  look({ light = 0, chosen = false }) {
    return { name: chosen ? "word lit chosen" : "word lit", strength: light };
  }

  /** Show the attention of a translation of a text. */
  show(text, { text: translation, attention }) {
    this.element.hidden = !attention;
    if (!attention) return;
    const { source, target, weights } = attention;
    this.weights = weights;
    this.source.show(placed(source, text));
    this.target.show(placed(target, translation));
    const heads = source.map((piece) => element("th", { scope: "col" }, element("span", {}, label(piece))));
    this.table.replaceChildren(
      element("tr", {}, element("td"), ...heads),
      ...target.map((piece, row) => this.row(piece, weights[row], source)),
    );
  }

  row(piece, weights, source) {
    const cells = weights.map((weight, column) => {
      const cell = element("td", { title: `${label(piece)} ← ${label(source[column])}: ${percent(weight)}` });
      cell.style.setProperty("--strength", weight.toFixed(3));
      return cell;
    });
    return element("tr", {}, element("th", { scope: "row" }, label(piece)), ...cells);
  }

  over(cell) {
    if (!cell) return;
    const [row, column] = [cell.parentElement.rowIndex - 1, cell.cellIndex - 1];
    this.light(row < 0 ? null : row, column < 0 ? null : column);
  }

  /** Light a target piece with what it attends to, a source piece with what attends to it, or one with the other. */
  light(row, column) {
    this.source.tokens.forEach((token, place) => {
      token.light = row === null ? 0 : this.weights[row][place];
      token.chosen = place === column;
    });
    this.target.tokens.forEach((token, place) => {
      token.light = column === null ? 0 : this.weights[place][column];
      token.chosen = place === row;
    });
    this.source.repaint();
    this.target.repaint();
    for (const line of this.table.rows) {
      line.classList.toggle("lit", line.rowIndex - 1 === row);
      for (const cell of line.cells) cell.classList.toggle("lit", cell.cellIndex - 1 === column);
    }
  }
}

/** The name of a piece beside the matrix. */
function label(piece) {
  return visible(piece.trim() || piece);
}
