// A letter, digit or mark within words, and white space, as in Python.
const WORD = String.raw`[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]`;
const WHITE = String.raw`\p{White_Space}\x1c-\x1f`;
const WORDS = new RegExp(`${WORD}+(?:['\u2019]${WORD}+)*|(?!${WORD})[^${WHITE}]`, "gu");
const ONLY_WHITE = new RegExp(`^[${WHITE}]*$`, "u");

/** Each word with the white space before it, and last an empty word with the white space at the end. */
function* wordsOf(text) {
  let end = 0;
  for (const { 0: word, index } of text.matchAll(WORDS)) {
    yield [text.slice(end, index), word];
    end = index + word.length;
  }
  yield [text.slice(end), ""];
}

/** One token for each word, mark and white space that is not implied, as `seqgen.WordTokenizer`. */
class WordTokenizer {
  constructor({ kind, symbols, closing, opening }) {
    this.vocabulary = new Vocabulary(symbols);
    [this.closing, this.opening] = [new Set(closing), new Set(opening)];
    this.lower = kind === "lowercase-word";
  }

  normal(text) {
    return this.lower ? text.toLowerCase() : text;
  }

  encode(text) {
    const tokens = [];
    let before = "";
    for (const [gap, word] of wordsOf(this.normal(text))) {
      if (gap !== this.implied(before, word)) {
        const gaps = this.vocabulary.numbers.has(gap) ? [gap] : [...gap];
        tokens.push(...gaps.map((one) => this.vocabulary.number(one)));
      }
      if (word) tokens.push(this.vocabulary.number(word));
      before = word;
    }
    return tokens;
  }

  unseen(text) {
    return this.vocabulary.unseen([...wordsOf(this.normal(text))].map(([, word]) => word).filter(Boolean));
  }

  /** The white space that is implied between two words. */
  implied(before, word) {
    return !before || !word || this.opening.has(before) || this.closing.has(word) ? "" : " ";
  }

  detokenizer() {
    return new WordDetokenizer(this);
  }
}

/** Restores the implied white space between words. */
class WordDetokenizer {
  constructor(tokenizer, before = "", last = "") {
    Object.assign(this, { tokenizer, before, last });
  }

  copy() {
    return new WordDetokenizer(this.tokenizer, this.before, this.last);
  }

  push(token) {
    if (token < SPECIAL && token !== UNK) return "";
    const text = this.tokenizer.vocabulary.text(token);
    if (ONLY_WHITE.test(text)) {
      this.before = "";
      this.last = text ? "" : this.last;
      return text;
    }
    let gap = this.tokenizer.implied(this.before, text);
    if (!gap && this.last && this.joins(text)) gap = " ";
    this.before = this.last = text;
    return gap + text;
  }

  /** Whether a word right after the last one would not be read as these two. */
  joins(text) {
    const [[, last], [, word] = [], [, end] = []] = wordsOf(this.last + text);
    return last !== this.last || word !== text || end !== "";
  }

  flush() {
    return "";
  }
}
