/** The tab of a generator: what it writes, and the cells. */
function generatorTab(model, { limits }) {
  const curl = new Curl(`OpenAI's clients write with it, too: base_url ${location.origin}/v1, model ${model.name}.`);
  const writings = twoWritings(model, () => new Requests(curl), "replace");
  const cells = model.cells ? [cellsPart(model, curl, () => writings[0].written)] : [];
  return writingForm(model, limits, writings, ...cells, curl.element);
}
