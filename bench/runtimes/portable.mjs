// The kernel rows, measured inside a runtime whose clock runs: what main.mjs (Deno, Bun) and the page in a browser call.
import { kernelRows, mathOf } from "../kernels.mjs";
import { measure } from "../measure.mjs";
import { againstRoofs, roofRows } from "../roofs.mjs";
import { wanted } from "../wanted.mjs";

/**
 * @param module roofs.wasm, compiled
 * @returns `{ math, rows }`: the kernels that there are, and rows as `npm run bench` has them
 */
export async function bench(module, { only, rounds, math }) {
  const roofs = await roofRows(module);
  const tasks = [...roofs, ...(await kernelRows(wanted(only), { math }))];
  const times = await measure(tasks, { rounds });
  const rows = tasks.map(({ run, ...row }, i) => ({ ...row, ...times[i] }));
  return { math: await mathOf({ math }), rows: againstRoofs(rows, rows.slice(0, roofs.length)) };
}
