/** The tab of a captioner: captions of a picture, and where it attends for each word. */
function captionerTab(model) {
  const own = model.options;
  const options = new Options(["num_beams", "num_return_sequences", "length_penalty"], own, {
    num_return_sequences: Math.min(3, own.num_beams),
  });
  const list = element("ol", { class: "hypotheses", "aria-label": "Captions" });
  let picture = null;
  let heat = null;
  const text = new TokenText("Caption", () => ({ name: "word" }), (number) => {
    picture.lay(number === null ? null : heat.weights[number]);
  });
  const hint = element("p", { class: "status" }, "Point at a word to see where the model looks for it.");

  function choose({ text: caption, attention }) {
    heat = attention;
    hint.hidden = text.element.hidden = !attention;
    text.show(placed(attention?.pieces ?? [], caption));
    picture.lay(null);
  }

  return pictureTab(model, {
    path: () => withQuery("/api/caption", { model: model.name, ...options.changed(), attention: true }),
    options: options.element,
    show({ captions }, shown) {
      picture = shown;
      list.replaceChildren(...hypotheses(captions, choose));
      choose(captions[0]);
    },
    parts: [text.element, hint, list, scoresNote()],
  });
}

/** What the scores of hypotheses are. */
function scoresNote() {
  return element("p", { class: "status" }, "The numbers are log-probabilities in nats, by length.");
}

/** The best answers with their scores, as buttons of which one is chosen. */
function hypotheses(answers, choose) {
  const buttons = answers.map((answer, place) =>
    element(
      "button",
      { type: "button", "aria-pressed": String(place === 0), onclick: (event) => pressed(event.currentTarget, answer) },
      element("span", {}, answer.text || "(empty)"),
      element("span", { class: "number" }, answer.score.toFixed(2)),
    ),
  );

  function pressed(button, answer) {
    buttons.forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
    choose(answer);
  }

  return buttons.map((button) => element("li", {}, button));
}
