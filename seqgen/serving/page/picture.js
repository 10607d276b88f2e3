const SIDE = 320;

/** A picture that was chosen, dropped or pasted, as the middle square that the model sees. */
class Picture {
  constructor({ border = 0 }, chosen) {
    this.border = border; // of the image's side, which the model does not see
    this.chosen = chosen;
    this.canvas = element("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": "What the model sees" });
    this.heat = element("canvas", { class: "heat", width: SIDE, height: SIDE, "aria-hidden": "true" });
    this.file = element("input", { type: "file", accept: "image/jpeg,image/png,image/webp" });
    this.file.addEventListener("change", () => this.take(this.file.files[0]));
    this.hint = element("span", { class: "hint" }, "Choose, drop or paste a picture");
    this.square = element("span", { class: "square" }, this.canvas, this.heat, this.hint);
    this.element = element("label", { class: "picture" }, this.square, this.file);
    for (const name of ["dragover", "dragleave", "drop", "paste"]) {
      document.addEventListener(name, (event) => this.element.checkVisibility() && this.given(event));
    }
  }

  /** Take a file that is dropped or pasted anywhere. */
  given(event) {
    const data = event.dataTransfer ?? event.clipboardData;
    if (!data.types.includes("Files")) return;
    event.preventDefault();
    this.element.classList.toggle("over", event.type === "dragover");
    this.take(data.files[0]);
  }

  take(file) {
    if (!file) return;
    this.show(file);
    this.chosen(file);
  }

  /** Draw the middle square of the upright picture; what the browser cannot read, the server refuses in words. */
  async show(file) {
    this.lay(null);
    this.latest = file;
    const image = await createImageBitmap(file).catch(() => null);
    if (this.latest !== file) return;
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, SIDE, SIDE);
    this.hint.hidden = image !== null;
    if (image === null) return;
    const side = Math.min(image.width, image.height) * (1 - 2 * this.border);
    context.imageSmoothingQuality = "high";
    context.drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  }

  /** Darken the picture where the rows of attention weights are small; without weights, show it as it is. */
  lay(weights) {
    const context = this.heat.getContext("2d");
    context.clearRect(0, 0, SIDE, SIDE);
    if (weights === null) return;
    const [height, width] = [weights.length, weights[0].length];
    const small = element("canvas", { width, height });
    const most = Math.max(...weights.flat());
    const shade = new ImageData(width, height);
    weights.flat().forEach((weight, place) => (shade.data[4 * place + 3] = 200 * (1 - weight / most)));
    small.getContext("2d").putImageData(shade, 0, 0);
    context.imageSmoothingQuality = "high";
    context.drawImage(small, 0, 0, SIDE, SIDE);
  }
}

/** A tab that answers to a picture: `show(answer, picture)` shows the answer in `parts`. */
function pictureTab(model, { path, show, parts, options = null }) {
  const curl = new Curl();
  const requests = new Requests(curl);
  const answer = element("div", { class: "answer", hidden: true }, ...parts);
  const picture = new Picture(model, asked);
  let file = null;

  function asked(chosen = file) {
    file = chosen;
    answer.hidden = true;
    const where = typeof path === "function" ? path() : path;
    if (file) requests.run({ path: where, file }, shown);
  }

  function shown(value) {
    show(value, picture);
    answer.hidden = false;
  }

  options?.addEventListener("input", debounced(() => asked()));
  const take = (example) => picture.take(fileOf(example));
  model.examples?.slice(0, 1).forEach(take);
  const chosen = element("div", {}, picture.element, examplesRow(model, thumbnail, take));
  const beside = element("div", {}, options ?? "", requests.element, answer);
  return element("div", {}, element("div", { class: "beside" }, chosen, beside), curl.element);
}
