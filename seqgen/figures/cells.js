// Colours the tokens of a text by values between -1 and 1: blue below zero, orange above, the stronger the larger.

// Shows tokens in an element, and returns their elements; a line end has a mark that can be coloured.
function showTokens(place, tokens) {
  const spans = tokens.map((token) => {
    const span = document.createElement("span");
    span.textContent = token;
    span.classList.toggle("end", token.startsWith("\n"));
    return span;
  });
  place.replaceChildren(...spans);
  return spans;
}

function colourTokens(spans, values) {
  spans.forEach((span, token) => {
    const value = values[token], colour = value < 0 ? "--below" : "--above";
    span.style.backgroundColor = `rgb(var(${colour}) / ${Math.abs(value).toFixed(3)})`;
  });
}

// Underlines tokens by values between 0 and 1.
function underlineTokens(spans, values) {
  spans.forEach((span, token) => {
    span.style.boxShadow = values[token] ? `inset 0 -3px rgb(var(--under) / ${values[token].toFixed(3)})` : "";
  });
}

// Returns bytes as numbers between -1 and 1.
function decoded(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return Float32Array.from(new Int8Array(bytes.buffer), (value) => value / 127);
}
