const GATHERED = 30; // milliseconds of what is sent together

/** A network with its tokenizer, which answers requests with the lines that the server would answer with. */
class Generator {
  constructor(network, { tokenizer, options }) {
    this.network = network;
    this.tokenizer = tokenizerOf(tokenizer);
    this.options = options;
  }

  /** The lines of an answer: pieces that come together, and a last one for the end of the text, or where it `stopped`. */
  async *lines({ prompt, unseen, candidates, ...given }, stopped = () => false) {
    const options = optionsOf(this.options, given);
    if (unseen === "error") this.requireSeen(prompt);
    const began = performance.now();
    let [pieces, count, sent, ending] = [[], 0, 0, "length"];
    for await (const piece of this.pieces(prompt, candidates, options, stopped)) {
      count += 1;
      pieces.push(piece.shown);
      ending = piece.ending;
      if (performance.now() - sent < GATHERED) continue;
      yield { pieces };
      [pieces, sent] = [[], performance.now()];
    }
    if (pieces.length > 0) yield { pieces };
    yield { ending, tokens: count, seconds: (performance.now() - began) / 1000 };
  }

  requireSeen(prompt) {
    const unseen = this.tokenizer.unseen(prompt);
    if (unseen.length === 0) return;
    const named = unseen.slice(0, 10).map((one) => JSON.stringify(one)).join(", ") + (unseen.length > 10 ? ", ..." : "");
    throw new Error(`The prompt must have only tokens seen in training, not ${named}.`);
  }

  async *pieces(prompt, candidates, options, stopped) {
    const encoded = this.tokenizer.encode(prompt);
    const detokenizer = this.tokenizer.detokenizer();
    encoded.forEach((token) => detokenizer.push(token));
    let [logits, state] = [null, this.network.start()];
    for (const token of [BOS, ...encoded]) {
      if (stopped()) return;
      [logits, state] = await this.network.step(token, state);
    }
    const processor = new Processor(options, [BOS, ...encoded]);
    const stops = new StopStrings(options.stop_strings);
    const random = randomNumbers(options.seed);
    for (let ending = null; !ending && !stopped(); ) {
      const token = choose(processor.process(logits), random());
      processor.add(token);
      const probabilities = softmax(logits);
      const others = mostProbable(probabilities, candidates).map((one) => {
        return [one === EOS ? null : detokenizer.copy().push(one), Math.log(probabilities[one])];
      });
      let text = stops.cut(detokenizer.push(token));
      if (token === EOS || stops.reached) ending = "stop";
      else if (processor.written >= options.max_new_tokens) ending = "length";
      if (ending && !stops.reached) text += detokenizer.flush();
      yield { shown: { text, log_probability: Math.log(probabilities[token]), candidates: others }, ending };
      if (!ending) [logits, state] = await this.network.step(token, state);
    }
  }
}

/** The end of a text by stop strings, the first of which is its last part. */
class StopStrings {
  constructor(strings) {
    this.strings = strings;
    this.kept = Math.max(0, ...strings.map((one) => one.length - 1));
    [this.tail, this.reached] = ["", false];
  }

  /** A new piece of the text, up to the end of a stop string. */
  cut(piece) {
    const text = this.tail + piece;
    const ends = this.strings.filter((one) => text.includes(one)).map((one) => text.indexOf(one) + one.length);
    if (ends.length > 0) {
      this.reached = true;
      return text.slice(this.tail.length, Math.min(...ends));
    }
    this.tail = this.kept > 0 ? text.slice(-this.kept) : "";
    return piece;
  }
}
