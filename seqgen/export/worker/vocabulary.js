/** Symbols in the order of their numbers, after the special ones. */
class Vocabulary {
  constructor(symbols) {
    this.symbols = symbols;
    this.numbers = new Map(symbols.map((symbol, place) => [symbol, SPECIAL + place]));
  }

  number(symbol) {
    return this.numbers.get(symbol) ?? UNK;
  }

  text(token) {
    if (token < SPECIAL) return token === UNK ? UNKNOWN : "";
    return this.symbols[token - SPECIAL];
  }

  /** Those of some symbols that it lacks, each once. */
  unseen(symbols) {
    return [...new Set(symbols)].filter((symbol) => !this.numbers.has(symbol) && symbol !== UNKNOWN);
  }
}
