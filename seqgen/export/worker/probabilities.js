// Loops here run for every token of the vocabulary at every step, where a call each would take most of the time.

function greatest(values) {
  let most = NEVER;
  for (let place = 0; place < values.length; place += 1) most = values[place] > most ? values[place] : most;
  return most;
}

/** The probabilities of scores, all 0 where every token is excluded. */
function softmax(scores) {
  const [most, probabilities] = [greatest(scores), new Float64Array(scores.length)];
  if (most === NEVER) return probabilities;
  let sum = 0;
  for (let token = 0; token < scores.length; token += 1) {
    probabilities[token] = Math.exp(scores[token] - most);
    sum += probabilities[token];
  }
  for (let token = 0; token < scores.length; token += 1) probabilities[token] /= sum;
  return probabilities;
}

/** The token that a uniform random number from 0 to below 1 chooses; where every token is excluded, EOS. */
function choose(scores, uniform) {
  const probabilities = softmax(scores);
  let [chosen, rest] = [EOS, uniform];
  for (let token = 0; token < scores.length && rest >= 0; token += 1) {
    if (probabilities[token] === 0) continue;
    chosen = token; // the last one, where rounding leaves a rest
    rest -= probabilities[token];
  }
  return chosen;
}

/** The most probable tokens, in their order; of equal ones, lower token numbers first. */
function mostProbable(probabilities, count) {
  const best = [];
  for (let token = 0; token < probabilities.length; token += 1) {
    if (best.length === count && !(probabilities[token] > probabilities[best[count - 1]])) continue;
    const place = best.findIndex((other) => probabilities[token] > probabilities[other]);
    best.splice(place < 0 ? best.length : place, 0, token);
    best.length = Math.min(count, best.length);
  }
  return best;
}
