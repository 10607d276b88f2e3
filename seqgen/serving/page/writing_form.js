const SWATCHES = [1, 0.3, 0.1, 0.03, 0.01];
const FIRST = { temperature: 0.8 }; // more legible than the usual 1

/** The texts of two temperatures, each with requests of its own, which `requests` makes. */
function twoWritings(model, requests, unseen) {
  return ["Text", "Text of the second temperature"].map((label) => new Writing(model, requests(), unseen, label));
}

/** A prompt, options, one text or two beside each other, and what stands after them. */
function writingForm(model, limits, writings, ...after) {
  const prompt = textArea(model.example ?? "", { name: "prompt" });
  const options = new Options(["temperature", "top_k", "top_p", "seed", "max_new_tokens"], model.options, FIRST);
  const { temperature, max_new_tokens: length } = options.fields;
  const second = new NumberField("temperature", model.options.temperature, 0.5, "Second temperature");
  temperature.element.after(second.element);
  length.slider.max = Math.min(2000, limits.max_new_tokens);
  const both = element("input", { type: "checkbox" });
  const write = element("button", { type: "button", class: "main", onclick: start, title: "Ctrl-Enter" }, "Write");
  const stop = element("button", { type: "button", onclick: halt, title: "Escape", disabled: true }, "Stop");

  function halt() {
    writings.forEach((one) => one.stop());
  }

  function start() {
    // A seed drawn here is shown and sent, so that what was written can be written again.
    const changed = { ...options.changed(), seed: options.value("seed") ?? Math.floor(1e6 * Math.random()) };
    const asked = [changed, { ...changed, temperature: second.value }].slice(0, both.checked ? 2 : 1);
    asked.forEach((one, place) => writings[place].write(prompt.value, one));
  }

  function compare() {
    second.element.hidden = writings[1].element.hidden = !both.checked;
    columns.classList.toggle("two", both.checked);
    if (both.checked) start();
  }

  const columns = element("div", { class: "columns" }, ...writings.map((one) => one.element));
  both.addEventListener("change", compare);
  const swatches = SWATCHES.map((share) => [`${100 * share} %`, byProbability({ log_probability: Math.log(share) })]);
  const tab = element(
    "div",
    {},
    labelled("Prompt", prompt),
    element("div", { class: "row" }, write, stop, element("label", { class: "check" }, both, "Two temperatures")),
    options.element,
    legend("Probability", swatches),
    columns,
    ...after,
  );
  tab.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.ctrlKey) start();
    if (event.key === "Escape") halt();
  });
  tab.addEventListener("running", () => (stop.disabled = !writings.some((one) => one.requests.running)));
  compare();
  start();
  return tab;
}
