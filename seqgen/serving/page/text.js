/**
 * A text of tokens that are coloured by values.
 *
 * A token is its `text`, with the white space `before` it, which is no token. `look(token)` gives its class and
 * strength (0 to 1). A token is chosen by the pointer, by a click and by arrow keys; `chosen` is told its number, or
 * null when the pointer leaves.
 */
class TokenText {
  constructor(label, look, chosen = () => {}) {
    this.look = look;
    this.chosen = chosen;
    this.element = element("div", { class: "text", role: "group", "aria-label": label });
    this.element.addEventListener("pointerover", (event) => this.choose(event.target));
    this.element.addEventListener("pointerleave", () => this.chosen(null));
    this.element.addEventListener("focusin", (event) => this.choose(event.target));
    this.element.addEventListener("click", (event) => this.clicked(event.target));
    this.element.addEventListener("keydown", (event) => this.move(event));
    this.clear();
  }

  /** Begin again, after the first `kept` tokens and a text before them that is no token. */
  clear(before = "", kept = 0) {
    cancelAnimationFrame(this.frame);
    this.flush();
    this.tokens = (this.tokens ?? []).slice(0, kept);
    this.spans = (this.spans ?? []).slice(0, kept);
    this.element.replaceChildren(before, ...this.spans);
    if (!this.spans.includes(this.current)) this.current = null;
  }

  /** Show tokens, and the white space after the last one. */
  show(tokens, after = "") {
    this.clear();
    this.add(tokens);
    this.flush();
    this.element.append(after);
  }

  /** Append tokens, all those of an animation frame at once. */
  add(tokens) {
    if (!this.waiting?.length) this.frame = requestAnimationFrame(() => this.flush());
    this.waiting = [...(this.waiting ?? []), ...tokens];
    this.tokens.push(...tokens);
  }

  flush() {
    const spans = (this.waiting ?? []).map((token) => this.paint(element("span", {}, token.text), token));
    this.waiting = [];
    if (spans.length === 0) return;
    const tokens = this.tokens.slice(this.spans.length);
    this.spans.push(...spans);
    this.element.append(...spans.flatMap((span, place) => [tokens[place].before ?? "", span]));
    if (!this.current) this.makeCurrent(this.spans[0]);
  }

  /** Colour all tokens again. */
  repaint() {
    this.spans.forEach((span, number) => this.paint(span, this.tokens[number]));
  }

  paint(span, token) {
    const { name = "", strength = 0 } = this.look(token);
    span.className = `token ${name}${token.text === "\n" ? " line-end" : ""}`;
    span.style.setProperty("--strength", strength.toFixed(3));
    return span;
  }

  choose(span) {
    const number = this.spans.indexOf(span);
    if (number >= 0) this.chosen(number, span);
  }

  clicked(span) {
    if (this.spans.includes(span) && getSelection().isCollapsed) this.makeCurrent(span).focus();
  }

  move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = this.spans[this.spans.indexOf(event.target) + step];
    if (!step || !next) return;
    event.preventDefault();
    this.makeCurrent(next).focus();
  }

  /** Let Tab come to this token and no other. */
  makeCurrent(span) {
    this.current?.removeAttribute("tabindex");
    this.current = span;
    span.tabIndex = 0;
    return span;
  }
}

const LEAST = 0.01; // a probability that has the full colour

/** The look of a token by its probability. */
function byProbability(token) {
  const strength = Math.min(1, token.log_probability / Math.log(LEAST));
  return { name: token.taken ? "rare taken" : "rare", strength };
}

/** The look of a token by a value from -1 to 1. */
function byValue(value) {
  return { name: value < 0 ? "below" : "above", strength: Math.min(1, Math.abs(value)) };
}

/** Tokens of pieces, with the white space that is before them in a text; those that are not in it stand apart. */
function placed(pieces, text) {
  const lower = text.toLowerCase();
  let end = 0;
  return pieces.map((piece) => {
    const word = piece.trim() || piece;
    const begin = lower.indexOf(word.toLowerCase(), end);
    const before = begin < 0 ? " " : (text.slice(end, begin).match(/\s+/)?.[0] ?? "");
    end = begin < 0 ? end : begin + word.length;
    return { before, text: word };
  });
}

/** A legend: examples of looks with what they mean. */
function legend(title, examples) {
  const swatches = examples.map(([text, { name, strength = 1 }]) => {
    const swatch = element("span", { class: `token ${name}` }, text);
    swatch.style.setProperty("--strength", strength);
    return element("li", {}, swatch);
  });
  return element("div", { class: "legend" }, element("span", {}, title), element("ul", {}, ...swatches));
}
