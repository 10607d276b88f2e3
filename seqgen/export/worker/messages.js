let generator; // a promise

async function load({ model, folder }) {
  const network = await Network.load(folder, model).catch((error) => {
    throw new Error(`The network cannot be loaded: ${error.message ?? error}`);
  });
  return new Generator(network, model);
}

/** Answer a request, unless a message says that nobody waits any longer. */
async function answer(request, port) {
  let stopped = false;
  port.onmessage = () => (stopped = true);
  try {
    for await (const line of (await generator).lines(request, () => stopped)) port.postMessage(line);
  } catch (error) {
    port.postMessage({ error: error.message });
  }
}

onmessage = ({ data, ports: [port] }) => {
  if (port) return answer(data.json, port);
  generator = load(data);
  generator.catch(() => {}).then(() => postMessage("ready"));
};
