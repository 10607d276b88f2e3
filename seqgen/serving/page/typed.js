/**
 * A tab that answers while one types.
 *
 * `request(text)` is what to ask for a text, `show(answer, text)` shows the answer in `parts` and `clear` what is shown
 * without a text.
 */
function typedTab(model, { label, options = [], request, show, parts, rows = 3 }) {
  const curl = new Curl();
  const requests = new Requests(curl);
  const text = textArea(model.examples?.[0] ?? "", { name: "text", rows });
  const answer = element("div", { class: "answer", hidden: true }, ...parts);

  function asked() {
    if (text.value.trim() === "") {
      requests.stop();
      answer.hidden = true;
      return;
    }
    requests.run(request(text.value), (value) => {
      show(value, text.value);
      answer.hidden = false;
    });
  }

  const examples = examplesRow(model, beginning, (example) => {
    text.value = example;
    asked();
  });
  const fields = element("div", {}, labelled(label, text), examples, ...options);
  fields.addEventListener("input", debounced(asked));
  asked();
  return element("div", {}, fields, requests.element, answer, curl.element);
}
