/** The tab of a translator: translations as one types, and the attention of the one that is chosen. */
function translatorTab(model) {
  const own = model.options;
  const options = new Options(["num_beams", "num_return_sequences", "length_penalty"], own, {
    num_return_sequences: Math.min(3, own.num_beams),
  });
  const list = element("ol", { class: "hypotheses", "aria-label": "Translations" });
  const attention = new Attention();

  return typedTab(model, {
    label: "Sentence",
    options: [options.element],
    request: (text) => ({
      path: "/api/translate",
      json: { model: model.name, text, ...options.changed(), attention: model.attends !== false },
    }),
    show({ translations }, text) {
      const choose = (translation) => attention.show(text, translation);
      list.replaceChildren(...hypotheses(translations, choose));
      choose(translations[0]);
    },
    parts: [list, scoresNote(), attention.element],
  });
}
