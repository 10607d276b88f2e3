const KINDS = {
  generator: generatorTab,
  conditional_generator: namesTab,
  text_classifier: textClassifierTab,
  image_classifier: imageClassifierTab,
  tagger: taggerTab,
  translator: translatorTab,
  captioner: captionerTab,
};

/** The tabs of all models; the address names the one that is shown. */
class Tabs {
  constructor(answer) {
    this.answer = answer;
    this.tabs = answer.models.map((model, place) => this.tab(model, place));
    this.panels = answer.models.map((_, place) => this.panel(place));
    const list = document.getElementById("tabs");
    list.replaceChildren(...this.tabs);
    list.addEventListener("keydown", (event) => this.move(event));
    document.getElementById("panels").replaceChildren(...this.panels);
    addEventListener("hashchange", () => this.follow());
    this.follow();
  }

  tab({ name, kind }, place) {
    return element(
      "button",
      { role: "tab", id: `tab-${place}`, "aria-controls": `panel-${place}`, onclick: () => this.go(place) },
      element("span", {}, name),
      element("small", {}, kind.replaceAll("_", " ")),
    );
  }

  panel(place) {
    return element("section", { role: "tabpanel", id: `panel-${place}`, "aria-labelledby": `tab-${place}` });
  }

  go(place) {
    history.replaceState(null, "", `#${encodeURIComponent(this.answer.models[place].name)}`);
    this.show(place);
  }

  /** Show the tab that the address names. */
  follow() {
    const names = this.answer.models.map(({ name }) => `#${encodeURIComponent(name)}`);
    this.show(Math.max(0, names.indexOf(location.hash)));
  }

  show(shown) {
    this.tabs.forEach((tab, place) => {
      tab.setAttribute("aria-selected", String(place === shown));
      tab.tabIndex = place === shown ? 0 : -1;
      this.panels[place].hidden = place !== shown;
    });
    const [model, panel] = [this.answer.models[shown], this.panels[shown]];
    document.title = `${model.name} · seqgen`;
    if (panel.childElementCount === 0) {
      panel.append(element("p", { class: "about" }, model.about ?? ""), KINDS[model.kind](model, this.answer));
    }
  }

  move(event) {
    const last = this.tabs.length - 1;
    const place = this.tabs.indexOf(document.activeElement);
    const keys = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: last };
    if (!(event.key in keys)) return;
    event.preventDefault();
    const next = (keys[event.key] + this.tabs.length) % this.tabs.length;
    this.tabs[next].focus();
    this.go(next);
  }
}

document.addEventListener("DOMContentLoaded", async () => {
  try {
    new Tabs(await (await ask({ path: "/api/models" })).json());
  } catch (error) {
    document.getElementById("panels").replaceChildren(element("p", { class: "error", role: "alert" }, error.message));
  }
});
