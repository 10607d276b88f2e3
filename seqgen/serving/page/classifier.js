const MOST_LABELS = 8;
const FULL = 2; // nats of influence that have the full colour

/** The tab of a classifier of texts: bars of its labels, and words coloured by how much they moved the answer. */
function textClassifierTab(model) {
  const bars = element("ol", { class: "bars", "aria-label": "Probabilities" });
  const note = element("p", { class: "status note", role: "status" });
  const text = new TokenText(
    "Influences",
    (word) => byValue(word.change / FULL),
    (number) => (note.textContent = number === null ? "" : said(text.tokens[number])),
  );
  let best = "";

  function said({ of, change }) {
    return `${of}: ${Math.abs(change).toFixed(2)} nats ${change < 0 ? "against" : "for"} ${best}`;
  }

  /** The words of a text as tokens, each with the influence that it has, alone or with a few others. */
  function words(influences, text) {
    const each = influences.flatMap(({ text, change }) => {
      const of = text.trim();
      return of.split(/\s+/).map((word) => ({ word, change, of }));
    });
    return placed(each.map(({ word }) => word), text).map((token, place) => ({ ...each[place], ...token }));
  }

  return typedTab(model, {
    label: "Text",
    rows: 4,
    request: (text) => ({
      path: "/api/classify",
      json: { model: model.name, text, top_k: Math.min(MOST_LABELS, model.classes.length), influences: true },
    }),
    show({ labels, influences }, asked) {
      best = labels[0].label;
      bars.replaceChildren(...labelBars(labels));
      text.show(words(influences, asked), asked.slice(asked.trimEnd().length));
      note.textContent = "";
    },
    parts: [
      bars,
      legend("Words that speak", [
        ["for the answer", { name: "above" }],
        ["against it", { name: "below" }],
      ]),
      text.element,
      note,
    ],
  });
}

/** The tab of a classifier of images: bars of its labels. */
function imageClassifierTab(model) {
  const bars = element("ol", { class: "bars", "aria-label": "Probabilities" });
  const query = { model: model.name, top_k: Math.min(MOST_LABELS, model.classes.length) };
  return pictureTab(model, {
    path: withQuery("/api/classify", query),
    show: ({ labels }) => bars.replaceChildren(...labelBars(labels)),
    parts: [bars],
  });
}
