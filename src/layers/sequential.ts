// One layer after the other.
import { typeError } from "../errors.js";
import type { Layer } from "./layer.js";

/**
 * Layers one after the other, as one layer.
 * @throws {TypeError} when an argument is no layer
 * @example
 * sequential(flatten(), dense(10))(input([28, 28])).shape; // [1, 10]
 */
export function sequential(...layers: readonly Layer[]): Layer {
  layers.forEach((each, i) => {
    if (typeof each === "function") return;
    throw typeError({ op: "sequential", expected: `a layer as argument ${i + 1}`, actual: String(each) });
  });
  return (x) => layers.reduce((value, each) => each(value), x);
}
