// Loaded before a server (--import, with --expose-gc): tells its parent, when asked, what the process and its workers hold.
import { BroadcastChannel, isMainThread } from "node:worker_threads";

const channel = new BroadcastChannel("probe");
channel.unref();

function held() {
  gc();
  const { heapUsed, external } = process.memoryUsage(); // array buffers are within `external`
  return heapUsed + external;
}

if (isMainThread) {
  process.on("message", async (workers) => {
    let bytes = held();
    channel.postMessage("look");
    await new Promise((done) => {
      let waiting = workers;
      channel.onmessage = ({ data }) => {
        bytes += data;
        if (--waiting === 0) done();
      };
      if (workers === 0) done();
    });
    const resources = {};
    for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
    process.send({ bytes, resources });
  });
  process.channel.unref();
} else {
  channel.onmessage = ({ data }) => data === "look" && channel.postMessage(held()); // numbers are of other workers
}
