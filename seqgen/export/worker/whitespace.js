const UNKNOWN_WORD = "<unk>";

/** The words between white space and the line ends of a text. */
function wordsAndLineEnds(text) {
  return text.match(new RegExp(`\n|[^${WHITE}]+`, "gu")) ?? [];
}

/** One token for each word between white space and for each line end, as `seqgen.WhitespaceTokenizer`. */
class WhitespaceTokenizer {
  constructor({ symbols }) {
    this.vocabulary = new Vocabulary(symbols);
  }

  encode(text) {
    return wordsAndLineEnds(text).map((word) => this.vocabulary.number(word));
  }

  unseen(text) {
    return this.vocabulary.unseen(wordsAndLineEnds(text)).filter((word) => word !== UNKNOWN_WORD);
  }

  detokenizer() {
    return new WhitespaceDetokenizer(this.vocabulary);
  }
}

/** Separates the words of a line by spaces. */
class WhitespaceDetokenizer {
  constructor(vocabulary, gap = "") {
    Object.assign(this, { vocabulary, gap });
  }

  copy() {
    return new WhitespaceDetokenizer(this.vocabulary, this.gap);
  }

  push(token) {
    if (token < SPECIAL && token !== UNK) return "";
    const text = token === UNK ? UNKNOWN_WORD : this.vocabulary.text(token);
    const gap = text === "\n" ? "" : this.gap;
    this.gap = text === "\n" ? "" : " ";
    return gap + text;
  }

  flush() {
    return "";
  }
}
