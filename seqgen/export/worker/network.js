const SLICE = 25; // milliseconds of work between looks at messages

/** The network as an ONNX graph of one step, with its state passed in and returned. */
class Network {
  constructor(session, ort, shapes) {
    Object.assign(this, { session, ort, shapes });
    this.pause = new MessageChannel();
    this.waiting = []; // texts that are written at the same time, which take turns
    this.pause.port1.onmessage = () => this.waiting.shift()();
    this.began = performance.now();
  }

  static async load(folder, { state_shapes: shapes }) {
    const ort = await import(`${folder}ort.wasm.min.mjs`);
    ort.env.wasm.numThreads = 1; // several need headers that few static hosts send
    ort.env.wasm.wasmPaths = folder;
    const session = await ort.InferenceSession.create(`${folder}step.onnx`, { executionProviders: ["wasm"] });
    return new Network(session, ort, shapes);
  }

  start() {
    const zeros = Object.entries(this.shapes).map(([name, sizes]) => {
      const shape = sizes.map((size) => (size === "batch" ? 1 : size));
      const count = shape.reduce((product, size) => product * size, 1);
      return [name, new this.ort.Tensor("float32", new Float32Array(count), shape)];
    });
    return Object.fromEntries(zeros);
  }

  /** The logits after a token, and the next state. */
  async step(token, state) {
    if (performance.now() - this.began > SLICE) await this.rest();
    const tokens = new this.ort.Tensor("int64", BigInt64Array.of(BigInt(token)), [1]);
    const { logits, ...next } = await this.session.run({ tokens, ...state });
    if (!(Math.abs(greatest(logits.data)) < Infinity)) throw new Error("The logits must be finite, but some are not.");
    const names = Object.keys(this.shapes);
    return [logits.data, Object.fromEntries(names.map((name) => [name, next[`next_${name}`]]))];
  }

  /** Let messages come in. */
  async rest() {
    await new Promise((resolve) => {
      this.waiting.push(resolve);
      this.pause.port2.postMessage(null);
    });
    this.began = performance.now();
  }
}
