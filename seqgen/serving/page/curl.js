/** The last request of a tab as a command for the shell, to copy. */
class Curl {
  constructor(note = "") {
    this.line = element("pre", { tabindex: 0, "aria-label": "Command" });
    this.button = element("button", { type: "button", onclick: () => this.copy() }, "Copy");
    this.element = element(
      "details",
      { class: "curl", hidden: true },
      element("summary", {}, "The same from the shell"),
      element("div", { class: "row" }, this.line, this.button),
      element("p", { class: "status" }, note),
    );
  }

  show(request) {
    this.line.textContent = command(request);
    this.element.hidden = false;
  }

  async copy() {
    getSelection().selectAllChildren(this.line); // where the browser does not let the page copy
    await navigator.clipboard?.writeText(this.line.textContent);
    this.button.textContent = navigator.clipboard ? "Copied" : "Selected";
    setTimeout(() => (this.button.textContent = "Copy"), 1500);
  }
}

/** The curl line of a request. */
function command({ path, json, file }) {
  const [type, data] = json
    ? ["application/json", ["--data-raw", JSON.stringify(json)]]
    : [file.type || "image/jpeg", ["--data-binary", `@${file.name}`]];
  return ["curl", "-N", location.origin + path, "-H", `Content-Type: ${type}`, ...data].map(quoted).join(" ");
}

/** A word as the shell takes it. */
function quoted(word) {
  return /^[\w@:/.-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
