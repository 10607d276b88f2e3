/** One token for each character, as `seqgen.CharacterTokenizer`. */
class CharacterTokenizer {
  constructor({ symbols }) {
    this.vocabulary = new Vocabulary(symbols);
  }

  encode(text) {
    return [...text].map((symbol) => this.vocabulary.number(symbol));
  }

  unseen(text) {
    return this.vocabulary.unseen(text);
  }

  detokenizer() {
    return this; // nothing is remembered
  }

  copy() {
    return this;
  }

  push(token) {
    return this.vocabulary.text(token);
  }

  flush() {
    return "";
  }
}
