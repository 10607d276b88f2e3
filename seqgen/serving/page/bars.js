/** A bar for a probability, with its name; a button where it can be chosen. */
function bar(name, probability, attributes = {}) {
  const made = element(
    attributes.onclick ? "button" : "div",
    { class: "bar", ...(attributes.onclick ? { type: "button" } : {}), ...attributes },
    element("span", { class: "name" }, name),
    element("span", { class: "track" }, element("span", {})),
    element("span", { class: "number" }, percent(probability)),
  );
  made.style.setProperty("--share", probability);
  return made;
}

/** The bars of a classifier's labels. */
function labelBars(labels) {
  return labels.map(({ label, probability }) => element("li", {}, bar(label, probability)));
}
