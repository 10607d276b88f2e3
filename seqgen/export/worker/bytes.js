/** One token for each byte, as `seqgen.ByteTokenizer`. */
class ByteTokenizer {
  encode(text) {
    return Array.from(new TextEncoder().encode(text), (byte) => SPECIAL + byte);
  }

  unseen() {
    return [];
  }

  detokenizer() {
    return new ByteDetokenizer();
  }
}

/** Buffers bytes until they form a character. */
class ByteDetokenizer {
  constructor(decoder = new Utf8Decoder()) {
    this.decoder = decoder;
  }

  copy() {
    return new ByteDetokenizer(this.decoder.copy());
  }

  push(token) {
    return token < SPECIAL ? "" : this.decoder.push(token - SPECIAL);
  }

  flush() {
    return this.decoder.flush();
  }
}

/** Decodes UTF-8 byte by byte; unlike a browser's own decoder it can be copied. */
class Utf8Decoder {
  constructor(waiting = []) {
    this.waiting = waiting; // the beginning of a character
  }

  copy() {
    return new Utf8Decoder([...this.waiting]);
  }

  push(byte) {
    const bytes = [...this.waiting, byte];
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes), { stream: true });
    const begins = byte >= 0xc2 && byte <= 0xf4; // a new character, after one that broke off
    this.waiting = text === "" ? bytes : begins ? [byte] : [];
    return text;
  }

  flush() {
    const rest = this.waiting.length > 0 ? UNKNOWN : "";
    this.waiting = [];
    return rest;
  }
}
