/** The model in a worker, which writes while the page stays responsive; `ready` is called when it is loaded. */
class ModelWorker {
  constructor(model, ready) {
    const source = new Blob([document.getElementById("worker").textContent], { type: "text/javascript" });
    this.worker = new Worker(URL.createObjectURL(source), { type: "module" });
    this.worker.addEventListener("message", ready);
    this.failed = new Promise((_, reject) => {
      this.worker.addEventListener("error", () => reject(new Error("This browser is too old to run the network.")));
    });
    this.worker.postMessage({ model, folder: new URL("./", location.href).href });
  }

  /** The lines that answer a request, which are those of the server. */
  async *answers({ json }, signal) {
    const { port1: port, port2 } = new MessageChannel();
    const lines = [];
    let wake;
    port.onmessage = ({ data }) => {
      lines.push(data);
      wake?.();
    };
    signal.addEventListener("abort", () => port.postMessage("stop"));
    this.worker.postMessage({ json }, [port2]);
    for (let line = {}; !line.ending && !line.error; yield line) {
      if (lines.length === 0) await Promise.race([this.failed, new Promise((resolve) => (wake = resolve))]);
      line = lines.shift();
    }
    port.close();
  }
}
