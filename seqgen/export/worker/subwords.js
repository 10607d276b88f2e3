const SPACE = "\u2581"; // sentencepiece's mark for a space
const UNKNOWN_PENALTY = 10; // of a character that is no piece, below the least score
const FIRST_PIECE = SPECIAL + 256; // after the special tokens and the bytes

/** Pieces with their scores, as `seqgen.SubwordTokenizer`; characters outside of them are read as bytes. */
class SubwordTokenizer {
  constructor({ kind, pieces, scores }) {
    this.pieces = pieces;
    this.places = new Map(pieces.map((piece, place) => [piece, place]));
    this.scores = Float32Array.from(scores);
    this.longest = Math.max(...pieces.map((piece) => [...piece].length));
    this.least = Math.fround(Math.min(...scores) - UNKNOWN_PENALTY);
    this.split = kind === "bpe" ? mergedPairs : bestPath;
  }

  encode(text) {
    const marked = text.replace(/\p{Surrogate}/gu, "?").replaceAll(" ", SPACE);
    return this.split(this, [...marked]).flatMap((piece) => this.tokens(piece));
  }

  tokens(piece) {
    const place = this.places.get(piece);
    return place === undefined ? new ByteTokenizer().encode(piece) : [FIRST_PIECE + place];
  }

  unseen() {
    return [];
  }

  detokenizer() {
    return new SubwordDetokenizer(this.pieces);
  }
}

/** The pieces of characters with the greatest sum of scores, by the Viterbi algorithm (unigram language model). */
function bestPath({ places, scores, longest, least }, characters) {
  const ends = [{ score: 0 }, ...characters.map(() => ({ score: -Infinity }))];
  for (let begin = 0; begin < characters.length; begin += 1) {
    let piece = "";
    for (let end = begin + 1; end <= Math.min(begin + longest, characters.length); end += 1) {
      piece += characters[end - 1];
      const place = places.get(piece);
      if (place === undefined && end > begin + 1) continue;
      // In the precision of sentencepiece, so that equal sums are equal here, too.
      const score = Math.fround(ends[begin].score + (place === undefined ? least : scores[place]));
      if (score > ends[end].score) ends[end] = { score, piece, begin };
    }
  }
  const found = [];
  for (let end = characters.length; end > 0; end = ends[end].begin) found.push(ends[end].piece);
  return found.reverse();
}

/** The pieces of characters, of which pairs are merged in the order of their scores (byte-pair encoding). */
function mergedPairs({ places, scores }, characters) {
  const pieces = [...characters];
  const next = pieces.map((_, place) => place + 1);
  const before = pieces.map((_, place) => place - 1);
  const pairs = new Heap((one, other) => one.score - other.score || other.left - one.left);

  function offer(left, right) {
    if (left < 0 || right >= pieces.length) return;
    const place = places.get(pieces[left] + pieces[right]);
    if (place !== undefined) pairs.push({ left, right, score: scores[place], piece: pieces[left] + pieces[right] });
  }

  for (let right = 1; right < pieces.length; right += 1) offer(right - 1, right);
  for (let pair; (pair = pairs.pop()); ) {
    const { left, right, piece } = pair;
    if (!pieces[left] || !pieces[right] || pieces[left] + pieces[right] !== piece) continue; // one was merged already
    [pieces[left], pieces[right], next[left]] = [piece, "", next[right]];
    if (next[right] < pieces.length) before[next[right]] = left;
    offer(before[left], left);
    offer(left, next[left]);
  }
  return pieces.filter(Boolean);
}

/** Buffers bytes until they form a character. */
class SubwordDetokenizer {
  constructor(pieces, decoder = new Utf8Decoder()) {
    Object.assign(this, { pieces, decoder });
  }

  copy() {
    return new SubwordDetokenizer(this.pieces, this.decoder.copy());
  }

  push(token) {
    if (token < SPECIAL) return "";
    if (token < FIRST_PIECE) return this.decoder.push(token - SPECIAL);
    return this.flush() + this.pieces[token - FIRST_PIECE].replaceAll(SPACE, " ");
  }

  flush() {
    return this.decoder.flush();
  }
}
