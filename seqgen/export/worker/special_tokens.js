const [PAD, BOS, EOS, UNK] = [0, 1, 2, 3];
const SPECIAL = 4; // tokens, which are the first
const UNKNOWN = "\ufffd"; // the text of UNK, which may be read again
