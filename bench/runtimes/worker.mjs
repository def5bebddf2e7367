// The entry in workerd, whose clock stands still while code runs: it only does what it is asked to, and workerd.mjs looks at the clock.
import { kernelRows } from "../kernels.mjs";
import { roofRows } from "../roofs.mjs";
import roofs from "../roofs.wasm";
import { wanted } from "../wanted.mjs";

let tasks; // made by the first request, for all that follow

export default {
  /** `/?only=TEXT` makes the rows and lists them; `/?row=I&calls=N` runs one N times. */
  async fetch(request) {
    const { searchParams } = new URL(request.url);
    const only = searchParams.get("only");
    if (only !== null) {
      tasks = [...(await roofRows(roofs)), ...(await kernelRows(wanted(only)))];
      return Response.json(tasks.map(({ run, ...row }) => row));
    }
    const { run } = tasks[Number(searchParams.get("row"))];
    for (let calls = Number(searchParams.get("calls")); calls > 0; calls--) run();
    return new Response("done");
  },
};
