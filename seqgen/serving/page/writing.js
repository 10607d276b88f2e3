const ASKED = { candidates: 5, num_beams: 1 };

/**
 * A text that a generator writes, each token with its candidates; taking one of them goes on from there.
 *
 * `unseen` says what to do with what the model has never seen: "error" or "replace".
 */
class Writing {
  constructor(model, requests, unseen, label) {
    Object.assign(this, { model, requests, unseen });
    this.text = new TokenText(label, byProbability, (number, span) => this.chosen(number, span));
    this.candidates = new Candidates((number, text, log) => this.take(number, text, log));
    this.text.element.addEventListener("keydown", (event) => {
      if (["Enter", "ArrowDown"].includes(event.key)) {
        event.preventDefault();
        this.candidates.enter();
      }
    });
    const box = element("div", { class: "writing" }, this.text.element, this.candidates.element);
    box.addEventListener("focusout", () => this.candidates.leave());
    this.title = element("h3");
    this.unit = model.tokens === "char" ? "characters" : "tokens";
    this.element = element("div", {}, this.title, box, this.requests.element);
    this.prompt = "";
  }

  get written() {
    return this.prompt + this.text.tokens.map((piece) => piece.text).join("");
  }

  /** Write after a prompt and the first `kept` tokens. */
  async write(prompt, options, kept = 0) {
    this.prompt = prompt;
    this.options = options;
    this.how = { ...this.model.options, ...options };
    this.title.textContent = `Temperature ${this.how.temperature}`;
    this.candidates.hide();
    this.text.clear(prompt, kept);
    await this.goOn();
  }

  stop() {
    if (!this.requests.running) return;
    this.requests.stop();
    this.text.flush();
    this.requests.status.textContent = `Stopped after ${this.text.tokens.length} ${this.unit}.`;
  }

  async goOn() {
    const json = { model: this.model.name, prompt: this.written, unseen: this.unseen, ...ASKED, ...this.options };
    await this.requests.run({ path: "/api/generate", json }, (line) => this.read(line), true);
  }

  read(line) {
    if (line.pieces) this.text.add(line.pieces);
    if (!line.ending) return;
    this.text.flush();
    this.requests.status.textContent = this.summary(line);
  }

  summary({ ending, tokens, seconds }) {
    const logs = this.text.tokens.map((piece) => piece.log_probability);
    const perplexity = Math.exp(-logs.reduce((sum, log) => sum + log, 0) / Math.max(1, logs.length));
    const speed = Math.round(tokens / Math.max(seconds, 0.001)).toLocaleString("en");
    const why = ending === "stop" ? "ended by itself" : "ended by its length";
    const { temperature, seed } = this.how;
    const how = `temperature ${temperature}, random seed ${seed}, perplexity ${perplexity.toFixed(2)}`;
    return `${tokens} ${this.unit}, ${speed} a second; ${why}; ${how}`;
  }

  chosen(number, span) {
    const piece = this.text.tokens[number];
    if (number === null || !piece.candidates?.length) this.candidates.leave();
    else this.candidates.show(number, piece, span);
  }

  /** Take another token in a place; without a text, the text ends there. */
  take(number, text, log) {
    this.requests.stop();
    const { candidates } = this.text.tokens[number];
    this.candidates.hide();
    this.text.clear(this.prompt, number);
    this.requests.status.textContent = text === null ? "Ended here." : "";
    if (text === null) return;
    this.text.add([{ text, log_probability: log, candidates, taken: true }]);
    this.text.flush();
    this.text.makeCurrent(this.text.spans[number]).focus();
    this.candidates.hide();
    this.goOn();
  }
}
