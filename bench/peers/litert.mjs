export const name = "LiteRT.js";
export async function load() { throw new Error("todo"); }
