const LIMITS = { max_new_tokens: 5000 };
const SERVED =
  "This page needs a web server, which may be any: run python -m http.server in its folder, and open http://localhost:8000.";
const PRIVATE = "It writes on your own machine: nothing that you type leaves it.";

/** The page of one generator. */
async function open(place) {
  if (location.protocol === "file:") throw new Error(SERVED);
  const model = await (await loaded("model.json")).json();
  document.title = `${model.name} · seqgen`;
  document.querySelector("h1").textContent = model.name;
  const status = element("p", { class: "status", role: "status" }, `Loading ${model.megabytes} MB`);
  const worker = new ModelWorker(model, () => (status.textContent = ""));
  const writings = twoWritings(model, () => new Requests(null, (...request) => worker.answers(...request)), "error");
  const about = element("p", { class: "about" }, `${model.about}. ${PRIVATE}`);
  place.replaceChildren(about, status, writingForm(model, LIMITS, writings));
}

/** A file of this page's folder. */
async function loaded(name) {
  const response = await fetch(name).catch(() => null);
  if (!response?.ok) throw new Error(`${name} cannot be loaded: the folder of this page must be complete.`);
  return response;
}

const place = document.getElementById("generator");
open(place).catch((error) => place.replaceChildren(element("p", { class: "error", role: "alert" }, error.message)));
