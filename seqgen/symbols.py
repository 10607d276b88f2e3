"""The four special tokens: the same numbers in every tokenizer."""

PAD, BOS, EOS, UNK = range(4)

SYMBOLS = ("<pad>", "<bos>", "<eos>", "<unk>")
