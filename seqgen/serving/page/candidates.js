/** The likeliest tokens in the place of one, as bars to choose from, which open under it. */
class Candidates {
  constructor(chosen) {
    this.chosen = chosen;
    this.element = element("div", { class: "candidates", role: "group", hidden: true });
    this.element.addEventListener("pointerenter", () => clearTimeout(this.timer));
    this.element.addEventListener("pointerleave", () => this.leave());
    this.element.addEventListener("keydown", (event) => this.move(event));
  }

  show(number, piece, span) {
    clearTimeout(this.timer);
    this.span = span;
    const note = `${visible(piece.text)} had ${percent(Math.exp(piece.log_probability))}; take another:`;
    this.element.replaceChildren(
      element("p", {}, note),
      ...piece.candidates.map((candidate) => this.button(number, candidate)),
    );
    this.element.setAttribute("aria-label", `The likeliest in the place of ${visible(piece.text)}`);
    this.element.hidden = false;
    this.place(span);
  }

  button(number, [text, log]) {
    const shown = text === null ? "end of the text" : text === "" ? "no text" : visible(text);
    return bar(shown, Math.exp(log), { disabled: text === "", onclick: () => this.chosen(number, text, log) });
  }

  /** Put the bars right under a token, inside the box around both. */
  place(span) {
    const box = this.element.parentElement.getBoundingClientRect();
    const line = [...span.getClientRects()].at(-1) ?? span.getBoundingClientRect();
    const left = Math.min(line.left - box.left, box.width - this.element.offsetWidth);
    this.element.style.setProperty("left", `${Math.max(0, left)}px`);
    this.element.style.setProperty("top", `${line.bottom - box.top}px`);
  }

  move(event) {
    const buttons = [...this.element.querySelectorAll("button:enabled")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") this.span.focus();
    if (step) {
      event.preventDefault();
      buttons[(buttons.indexOf(event.target) + step + buttons.length) % buttons.length].focus();
    }
  }

  /** Go into the bars from the token's side. */
  enter() {
    this.element.querySelector("button:enabled")?.focus();
  }

  /** Hide soon, unless pointer or focus are on them by then. */
  leave() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.element.contains(document.activeElement) && document.activeElement !== this.span) this.hide();
    }, 250);
  }

  hide() {
    clearTimeout(this.timer);
    this.element.hidden = true;
  }
}
