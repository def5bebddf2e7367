// A worker that does nothing, answering as much as cold-worker.mjs does.
export default {
  fetch: () => Response.json(Array(10).fill(0.1)),
};
