const RETRIES = 3;

/** The values that answer a request: one, or those of a stream as they come. */
async function* answers(request, signal, stream, busy) {
  const response = await ask(request, signal, busy);
  if (stream) yield* streamed(response);
  else yield await arrived(response.json());
}

/**
 * The server's response to a request, which is tried again where the model is busy.
 *
 * `request` has a `path` and `json` or a `file`. Throws an Error whose message is the server's sentence.
 */
async function ask(request, signal, busy = () => {}) {
  for (let retry = 1; ; retry += 1) {
    const response = await arrived(fetch(request.path, { ...sent(request), signal }));
    if (response.ok) return response;
    if (response.status !== 503 || retry > RETRIES) throw new Error(await sentence(response));
    const seconds = Number(response.headers.get("Retry-After")) || 1;
    busy(seconds);
    await pause(1000 * seconds, signal);
  }
}

/** What comes from the server; an Error says where it does not come. */
function arrived(promise) {
  return promise.catch(() => {
    throw new Error("The server does not answer: start it again with seqgen serve.");
  });
}

function sent({ json, file }) {
  if (json) return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(json) };
  if (file) return { method: "POST", headers: { "Content-Type": file.type || "image/jpeg" }, body: file };
  return {};
}

/** The sentence of a refused request. */
async function sentence(response) {
  const answer = await response.json().catch(() => null);
  return answer?.error ?? `The server answered with status ${response.status}.`;
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** The values of a streamed response, one JSON text a line. */
async function* streamed(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part; !(part = await arrived(reader.read())).done; ) {
    const lines = (rest + part.value).split("\n");
    rest = lines.pop();
    yield* lines.filter(Boolean).map((line) => JSON.parse(line));
  }
  if (rest) yield JSON.parse(rest);
}

/** A path with options as its query. */
function withQuery(path, options) {
  return `${path}?${new URLSearchParams(options)}`;
}
