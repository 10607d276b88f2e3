const NEVER = -Infinity;

/** Changes logits by the options before a token is chosen, as `seqgen.generation.logits` does. */
class Processor {
  constructor(options, prompt) {
    this.options = options;
    this.written = 0;
    this.used = new Set();
    this.last = [];
    this.followers = new Map();
    prompt.forEach((token) => this.record(token));
  }

  add(token) {
    this.written += 1;
    this.record(token);
  }

  record(token) {
    const { no_repeat_ngram_size: length } = this.options;
    this.used.add(token);
    if (length === 0) return;
    if (this.last.length === length - 1) {
      const before = this.last.join();
      this.followers.set(before, [...(this.followers.get(before) ?? []), token]);
    }
    this.last = length > 1 ? [...this.last, token].slice(1 - length) : [];
  }

  /** The scores of all tokens, of which those that must not be chosen are NEVER. */
  process(logits) {
    const { options } = this;
    const scores = Float64Array.from(logits);
    if (options.repetition_penalty !== 1) {
      for (const token of this.used) scores[token] *= options.repetition_penalty ** (scores[token] > 0 ? -1 : 1);
    }
    const forbidden = [...options.suppress_tokens, ...(this.followers.get(this.last.join()) ?? [])];
    if (this.written < options.min_new_tokens) forbidden.push(EOS);
    for (const token of forbidden) scores[token] = NEVER;
    const factor = 1 / Math.max(options.temperature, 1e-30);
    for (let token = 0; token < scores.length; token += 1) scores[token] *= factor;
    if (options.top_k !== null) topK(scores, options.top_k);
    if (options.top_p !== null) topP(scores, options.top_p);
    if (options.min_p !== null) minP(scores, options.min_p);
    return scores;
  }
}

/** Keep exactly the k greatest scores; of equal ones, those of lower token numbers. */
function topK(scores, k) {
  if (k >= scores.length) return;
  const least = Float64Array.from(scores).sort()[scores.length - k];
  let equal = k - scores.filter((score) => score > least).length;
  scores.forEach((score, token) => {
    if (score < least || (score === least && (equal -= 1) < 0)) scores[token] = NEVER;
  });
}

/** Keep the smallest set of most probable tokens whose probabilities sum to at least p. */
function topP(scores, p) {
  const probabilities = softmax(scores);
  const order = [...scores.keys()].sort((one, other) => scores[other] - scores[one]);
  let sum = 0;
  order.forEach((token, place) => {
    if (place > 0 && sum >= p) scores[token] = NEVER;
    sum += probabilities[token];
  });
}

/** Keep the tokens that are at least p times as probable as the most probable one. */
function minP(scores, p) {
  const probabilities = softmax(scores);
  const least = p * greatest(probabilities);
  scores.forEach((_, token) => {
    if (probabilities[token] < least) scores[token] = NEVER;
  });
}
