// The entry in workerd, whose clock stands still while code runs: it only does what it is asked to, and workerd.mjs looks at the clock.
import { kernelRows, mathOf } from "../kernels.mjs";
import relaxed from "../kernels.relaxed.wasm";
import { roofRows } from "../roofs.mjs";
import roofs from "../roofs.wasm";
import { wanted } from "../wanted.mjs";

let tasks; // made by the first request, for all that follow

export default {
  /** `/?only=TEXT&math=MATH` makes the rows and lists them, as `{ math, tasks }`; `/?row=I&calls=N` runs one N times. */
  async fetch(request) {
    const { searchParams } = new URL(request.url);
    const only = searchParams.get("only");
    if (only !== null) {
      const how = searchParams.get("math") === "relaxed" ? { math: "relaxed", kernels: relaxed } : {};
      tasks = [...(await roofRows(roofs)), ...(await kernelRows(wanted(only), how))];
      return Response.json({ math: await mathOf(how), tasks: tasks.map(({ run, ...row }) => row) });
    }
    const { run } = tasks[Number(searchParams.get("row"))];
    for (let calls = Number(searchParams.get("calls")); calls > 0; calls--) run();
    return new Response("done");
  },
};
