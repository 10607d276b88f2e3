/** The tokenizer that plain data describes. */
function tokenizerOf(data) {
  const kinds = {
    char: CharacterTokenizer,
    byte: ByteTokenizer,
    word: WordTokenizer,
    "lowercase-word": WordTokenizer,
    whitespace: WhitespaceTokenizer,
    subword: SubwordTokenizer,
    bpe: SubwordTokenizer,
  };
  return new kinds[data.kind](data);
}
