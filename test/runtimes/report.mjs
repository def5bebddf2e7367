// Runs the scenario with the package's own kernels and with the scalar build, and makes plain data of what happened, errors
// included: the one function that the entry of every runtime calls.
import { relaxed, scenario } from "./scenario.mjs";

/** @returns {Promise<{ simd?, scalar?, relaxed?, threads?, ms?: number, error?: string }>} */
export async function report(lanewise, train, data, scalar) {
  try {
    // First, because its trainer is then the first to need the kernels of training, and compiles them without waiting.
    const approximate = await relaxed(lanewise, train, data);
    const threaded = async (threads) => ({ asked: threads, ...(await scenario(lanewise, train, data, { threads })) });
    const start = Date.now();
    const simd = await scenario(lanewise, train, data);
    const ms = Date.now() - start;
    return {
      simd,
      scalar: await scenario(lanewise, train, data, { kernels: scalar }),
      relaxed: approximate,
      threads: [await threaded(2), await threaded(3)],
      ms,
    };
  } catch (error) {
    return { error: String(error?.stack ?? error) };
  }
}
