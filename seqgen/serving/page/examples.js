const BEGINNING = 30; // characters of an example that its button shows

/** A row of a model's examples, each a button with its face, which gives it to `use`. */
function examplesRow({ examples = [] }, face, use) {
  const buttons = examples.map((one, place) =>
    element("button", { type: "button", onclick: () => use(one) }, face(one, `Example ${place + 1}`)),
  );
  const title = element("span", { class: "status" }, "Examples");
  return element("div", { class: "row examples", hidden: buttons.length === 0 }, title, ...buttons);
}

function beginning(text) {
  return text.length > BEGINNING ? `${text.slice(0, BEGINNING).trimEnd()}…` : text;
}

function thumbnail(address, name) {
  return element("img", { src: address, alt: name });
}

/** The file of an image's data: address. */
function fileOf(address) {
  const [, type, data] = address.match(/^data:(.+);base64,(.+)$/);
  return new File([bytes(data)], `example.${type.split("/")[1]}`, { type });
}
