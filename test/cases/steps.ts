// Training steps as plans: what writes states, draws masks and updates statistics, for every optimizer.
import type { Value } from "../../src/graph/value.js";
import { batchNormalization, build, conv2d, dense, dropout, flatten, input, sequential } from "../../src/index.js";
import { argumentOp, stateOp } from "../../src/ops/leaf.js";
import type { Program } from "../../src/program/program.js";
import { type TypedArray, tensor } from "../../src/tensor.js";
import {
  adadelta,
  adafactor,
  adagrad,
  adam,
  adamax,
  adamW,
  lion,
  nadam,
  type Optimizer,
  rmsprop,
  sgd,
} from "../../src/train/index.js";
import { checkExamples } from "../../src/train/objective.js";
import { Training } from "../../src/train/training.js";
import { numbers } from "../oracle/array.js";

const BATCH = 5;

const optimizers: Record<string, Optimizer> = {
  sgd: sgd({ clipValue: 0.1 }),
  "sgd with momentum": sgd({ momentum: 0.9, clipNorm: 0.5 }),
  "sgd with Nesterov momentum": sgd({ momentum: 0.9, nesterov: true }),
  adam: adam({ globalClipNorm: 0.5 }),
  adamW: adamW(),
  rmsprop: rmsprop(),
  adadelta: adadelta(),
  adafactor: adafactor(),
  adagrad: adagrad(),
  adamax: adamax(),
  lion: lion({ weightDecay: 0.1 }),
  nadam: nadam(),
  "rmsprop, centered, with momentum": rmsprop({ centered: true, momentum: 0.5 }),
};

/** A step of each optimizer, and the numbers of its inputs, arguments and states. */
export const steps = Object.entries(optimizers).map(
  ([name, optimizer]) => [name, () => step(optimizer)] as const satisfies readonly [string, unknown],
);

async function step(optimizer: Optimizer): Promise<{ program: Program; feed: (value: Value) => TypedArray }> {
  const layers = [
    conv2d(5, 3, { activation: "relu", kernelRegularizer: "l2" }),
    batchNormalization(),
    dropout(0.3),
    flatten(),
    dense(3, { activation: "softmax" }),
  ];
  const model = await build(input([5, 6, 2]), sequential(...layers), { seed: 7 });
  const options = { optimizer, loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;
  const training = new Training(model, { ...options, metrics: ["accuracy"] }, "test");
  const x = tensor(Float32Array.from(numbers([BATCH, 5, 6, 2], 3).data), [BATCH, 5, 6, 2]);
  const y = tensor(
    Int32Array.from({ length: BATCH }, (_, i) => i % 3),
    [BATCH],
  );
  const program = training.program(BATCH, checkExamples(model, { x, y }, training.objective, "test"));
  const given = [x.data, y.data];
  const feed = (value: Value): TypedArray => {
    const { op, attrs } = value.node;
    // states after some steps, so that nothing is hidden by zeros
    if (op === stateOp) return Float32Array.from(numbers(value.shape, String(attrs.name).length, 0.1, 0.9).data);
    if (op !== argumentOp) return given[program.layout.graph.inputs.indexOf(value)];
    return attrs.name === "rng" ? Int32Array.of(7, 0, 3) : Float32Array.of(0.01);
  };
  return { program, feed };
}
