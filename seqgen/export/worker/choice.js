const MIX = 0x6d2b79f5;

/** Uniform random numbers from 0 to below 1, the same ones for the same random seed (Mulberry32). */
function randomNumbers(seed) {
  let state = (seed ^ Math.floor(seed / 2 ** 32)) >>> 0;
  return () => {
    state = (state + MIX) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The token that a uniform random number chooses by scores; where every token is excluded, EOS. */
function choose(scores, uniform) {
  const most = greatest(scores);
  if (most === NEVER) return EOS;
  const weights = scores.map((score) => Math.exp(score - most));
  let rest = uniform * weights.reduce((total, weight) => total + weight, 0);
  let chosen = scores.indexOf(most); // where rounding leaves a rest at the end
  weights.some((weight, token) => {
    if (weight > 0) chosen = token;
    return weight > 0 && (rest -= weight) < 0;
  });
  return chosen;
}

/** The log-probabilities of all tokens, in nats. */
function logProbabilities(logits) {
  const most = greatest(logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0);
  return Float64Array.from(logits, (logit) => logit - most - Math.log(sum));
}

/** The most probable tokens, in their order; of equal ones, lower token numbers first. */
function mostProbable(logs, count) {
  const best = [];
  logs.forEach((log, token) => {
    if (best.length === count && !(log > logs[best.at(-1)])) return;
    const place = best.findIndex((other) => log > logs[other]);
    best.splice(place < 0 ? best.length : place, 0, token);
    best.length = Math.min(count, best.length);
  });
  return best;
}
