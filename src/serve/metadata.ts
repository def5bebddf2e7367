// What a model says of itself.
import type { Model } from "../program/model.js";
import { datatypes } from "./protocol.js";

/** -1 stands for the batch, and parameters say what integers stand for. */
export function describe(name: string, version: string, model: Model): Record<string, unknown> {
  const specs = (list: Model["inputs"]) =>
    list.map(({ name, shape, dtype, quantization, batched = true }) => ({
      name,
      datatype: datatypes[dtype],
      shape: batched ? [-1, ...shape] : shape,
      ...(quantization && { parameters: { scale: quantization.scale, zero_point: quantization.zeroPoint } }),
    }));
  return { name, version, platform: "lanewise", inputs: specs(model.inputs), outputs: specs(model.outputs) };
}
