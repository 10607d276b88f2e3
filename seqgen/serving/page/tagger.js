const HUES = 8;

/** The tab of a tagger: the text coloured by tag, and the probability of each. */
function taggerTab(model) {
  const tags = [...(model.tags ?? [])];
  const meaning = element("div");
  const note = element("p", { class: "status note", role: "status" });
  const text = new TokenText(
    "Tagged text",
    (token) => (token.text.trim() ? byTag(token.tag) : {}),
    (number) => (note.textContent = number === null ? "" : said(text.tokens[number])),
  );

  /** A tag has a hue; those beyond the hues have another line, too. */
  function byTag(tag) {
    if (!tags.includes(tag)) tags.push(tag);
    const place = tags.indexOf(tag);
    return { name: `tag hue-${place % HUES} line-${Math.floor(place / HUES) % 3}`, strength: 1 };
  }

  function said({ text: token, tag, probability }) {
    return `${visible(token)}: ${tag}, ${percent(probability)}`;
  }

  return typedTab(model, {
    label: "Text",
    rows: 6,
    request: (text) => ({ path: "/api/tag", json: { model: model.name, text } }),
    show({ tokens, after = "" }) {
      text.show(tokens, after);
      const found = tags.filter((tag) => tokens.some((one) => one.tag === tag));
      meaning.replaceChildren(legend("Tags", found.map((tag) => [tag, byTag(tag)])));
      note.textContent = "";
    },
    parts: [meaning, text.element, note],
  });
}
