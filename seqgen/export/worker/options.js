const whole = (least) => [(value) => Number.isInteger(value) && value >= least, `a whole number of at least ${least}`];
const unless = ([kept, words]) => [(value) => value === null || kept(value), words];
const RULES = {
  max_new_tokens: whole(1),
  temperature: [(value) => value > 0 && value < Infinity, "above 0 and finite"],
  top_k: unless(whole(1)),
  top_p: unless([(value) => value > 0 && value <= 1, "above 0 and at most 1"]),
  seed: whole(0),
};

/** The options of the model with those of a request; an Error says which one is out of range. */
function optionsOf(own, given) {
  const options = { ...own, ...given };
  for (const [name, [kept, words]] of Object.entries(RULES)) {
    if (!kept(options[name])) throw new Error(`${name} must be ${words}, not ${options[name]}`);
  }
  return options;
}
