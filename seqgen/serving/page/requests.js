/**
 * The requests of one place of a tab: the newest alone counts, and its state or error is shown there.
 *
 * `answering` gives the values that answer a request: those of the server, unless there is none. An event `running` of
 * the element says that `running` changed.
 */
class Requests {
  constructor(curl, answering = answers) {
    [this.curl, this.answering] = [curl, answering];
    this.status = element("p", { class: "status", role: "status" });
    this.error = element("p", { class: "error", role: "alert" });
    this.element = element("div", {}, this.error, this.status);
    this.controller = null;
  }

  get running() {
    return this.controller !== null;
  }

  stop() {
    this.controller?.abort();
    this.follow(null);
  }

  follow(controller) {
    this.controller = controller;
    this.element.dispatchEvent(new Event("running", { bubbles: true }));
  }

  /** Ask, and give the response's values to `use`, one for each line of a stream, unless a newer request began. */
  async run(request, use, stream = false) {
    this.stop();
    const controller = new AbortController();
    const { signal } = controller;
    this.follow(controller);
    this.error.textContent = this.status.textContent = "";
    this.curl?.show(request);
    try {
      const busy = (seconds) => (this.status.textContent = `The model is busy: trying again in ${seconds} s.`);
      for await (const value of this.answering(request, signal, stream, busy)) {
        if (signal.aborted) return;
        this.status.textContent = "";
        if (value.error) throw new Error(value.error);
        use(value);
      }
    } catch (error) {
      if (!signal.aborted) this.error.textContent = error.message;
    } finally {
      if (this.controller === controller) this.follow(null);
    }
  }
}
