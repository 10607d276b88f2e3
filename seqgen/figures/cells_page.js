// The page of cells: `data` has the tokens, the cells with their values, and the properties that cells follow.

const count = data.tokens.length, values = decoded(data.values);
const byId = (name) => document.getElementById(name);
const [text, slider, number, list, shown, value] = ["text", "slider", "number", "list", "shown", "value"].map(byId);
const buttons = [...document.querySelectorAll("tbody button")];
const spans = showTokens(text, data.tokens);
let cell = 0, property = -1;

const valueAt = (token) => values[cell * count + token];

function showCell(place) {
  cell = Math.min(Math.max(place, 0), data.cells.length - 1);
  colourTokens(spans, values.subarray(cell * count, (cell + 1) * count));
  slider.value = number.value = cell + 1;
  list.value = cell;
  const followed = data.properties.filter((one) => one.place === cell).map((one) => one.property);
  shown.textContent = followed.length ? `follows ${followed.join(", ")}` : "";
}

// Selects the cell of a row, and underlines its property in the text; a second time, the underline goes.
function showRow(row) {
  property = row === property ? -1 : row;
  buttons.forEach((button, other) => button.setAttribute("aria-pressed", other === property));
  const marks = property < 0 ? [] : decoded(data.properties[row].marks);
  underlineTokens(spans, marks);
  if (property < 0) return;
  showCell(data.properties[row].place);
  const first = spans[marks.findIndex((mark) => mark > 0)] ?? spans[0];
  text.scrollTop = first.offsetTop - text.offsetTop - 2 * first.offsetHeight;
}

function showValue(event) {
  const token = spans.indexOf(event.target);
  value.textContent = token < 0 ? "" : `${JSON.stringify(data.tokens[token])} ${(valueAt(token) * data.scale).toFixed(2)}`;
}

const groups = new Map();
data.cells.forEach(({ layer, cell }, place) => {
  if (!groups.has(layer)) groups.set(layer, Object.assign(document.createElement("optgroup"), { label: `layer ${layer}` }));
  groups.get(layer).append(new Option(`layer ${layer}, cell ${cell}`, place));
});
list.append(...[...groups].sort(([one], [other]) => one - other).map(([, group]) => group));
slider.max = number.max = data.cells.length;
slider.addEventListener("input", () => showCell(slider.valueAsNumber - 1));
number.addEventListener("change", () => showCell((number.valueAsNumber || 1) - 1));
list.addEventListener("change", () => showCell(Number(list.value)));
byId("before").addEventListener("click", () => showCell(cell - 1));
byId("after").addEventListener("click", () => showCell(cell + 1));
buttons.forEach((button, row) => button.addEventListener("click", () => showRow(row)));
text.addEventListener("pointerover", showValue);
text.addEventListener("click", showValue);
document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step && !event.altKey && !event.ctrlKey && !event.metaKey && !["INPUT", "SELECT"].includes(event.target.tagName)) {
    event.preventDefault();
    showCell(cell + step);
  }
});
if (buttons.length) showRow(0);
else showCell(0);
