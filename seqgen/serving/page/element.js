/** An element with attributes, listeners (`onclick`) and children; strings become text, never HTML. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** A form control under its label. */
function labelled(label, control) {
  return element("label", { class: "field" }, element("span", {}, label), control);
}

/** A text box of several lines that is as high as its text. */
function textArea(text, attributes = {}) {
  const usual = { rows: 2, spellcheck: "false", autocomplete: "off", placeholder: "Type a text" };
  return element("textarea", { ...usual, ...attributes }, text);
}

/** A text with visible white space, for where it stands alone. */
function visible(text) {
  return text.replaceAll(" ", "␣").replaceAll("\n", "↵").replaceAll("\t", "⇥");
}

/** The bytes that a text has in base64. */
function bytes(text) {
  return Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
}

/** A share of one in per cent, with a decimal where it is small. */
function percent(share) {
  if (share < 0.0005) return "< 0.1 %";
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}
