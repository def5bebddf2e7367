// Rows for single ops: every row of the tests' table of ops (test/cases.ts) that names shapes to measure, forward and backward, from the
// sources as the tests have them. All arguments change from call to call, so filters are packed each time. Backward are all gradients
// of sum(result * dy) together: that is one pass over dy more than the op's own.
import { readFileSync } from "node:fs";
import { build } from "esbuild";
import { noise } from "./cnn.mjs";

const RELAXED = new URL("../build/kernels.relaxed.wasm", import.meta.url);
const ENTRY = `
export { leaf } from "./src/graph/value.js";
export { topological } from "./src/graph/walk.js";
export { mul, sum } from "./src/index.js";
export { inputOp } from "./src/ops/leaf.js";
export { gradients } from "./src/passes/grad.js";
export { bytesOfValue } from "./src/program/plan.js";
export { Program } from "./src/program/program.js";
export { Store } from "./src/program/store.js";
export { train } from "./src/runtime/families/train.js";
export { compile } from "./src/runtime/kernels.js";
export { cases } from "./test/cases.js";
export { leafOf } from "./test/cases/graph.js";
`;

/**
 * All rows that `wanted` accepts, with `run`. `flops` is direct arithmetic where the ops say it, `reads` and `writes` are the bytes of
 * arguments and results.
 * @param math which build of the kernels
 */
export async function opRows(wanted, math) {
  const lanewise = await sources();
  const start = starter(lanewise, await lanewise.compile(math === "relaxed" ? readFileSync(RELAXED) : undefined));
  return lanewise.cases.flatMap((each) =>
    (each.benchmark ?? []).flatMap(({ shapes, below }) => {
      const name = `${each.title} ${shapes.map((shape) => `[${shape}]`).join(" ")}`;
      const rows = [
        { section: "op", name, graphOf: forward },
        { section: "op", name: `${name}, gradients`, graphOf: backward },
      ];
      return rows.filter(wanted).flatMap(({ graphOf, ...row }) => {
        const leaves = shapes.map((shape, i) => lanewise.leafOf({ ...each.inputs[i], shape }));
        const graph = graphOf(lanewise, leaves, each.op(...leaves));
        if (!graph) return []; // no gradient flows
        return { ...row, ...work(lanewise, graph), ...start(graph, each.range ?? [-1, 1], below) };
      });
    }),
  );
}

/** Sources and table as one module. */
async function sources() {
  const { outputFiles } = await build({
    stdin: { contents: ENTRY, resolveDir: new URL("..", import.meta.url).pathname, loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    write: false,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

const forward = (_, inputs, y) => ({ inputs, outputs: [y], effects: [] });

function backward({ leaf, inputOp, gradients, sum, mul }, inputs, y) {
  const { shape, dtype } = y;
  const dy = leaf(inputOp, { shape, dtype }, { shape, dtype });
  const floats = inputs.filter((value) => value.dtype === "float32");
  const flowing = gradients(sum(mul(y, dy)), floats).filter((value) => value !== undefined);
  return flowing.length > 0 && { inputs: [...inputs, dy], outputs: flowing, effects: [] };
}

function work({ topological, bytesOfValue }, { inputs, outputs }) {
  const bytes = (values) => values.reduce((sum, value) => sum + bytesOfValue(value), 0);
  const nodes = topological(outputs);
  const used = inputs.filter(({ node }) => nodes.includes(node));
  const flops = nodes.reduce((sum, node) => sum + (node.op.flops?.(node, node.attrs) ?? 0), 0);
  return { ...(flops > 0 && { flops }), reads: bytes(used), writes: bytes(outputs) };
}

/** Makes programs that share one memory: `before` puts a row's own numbers there. */
function starter({ Program, Store, train }, module) {
  const store = new Store(module);
  store.use(train);
  const random = noise(2 ** 21);
  return (graph, [low, high], below) => {
    const program = new Program(store, graph);
    const load = () => {
      program.bind();
      for (const [i, value] of program.layout.graph.inputs.entries()) {
        const array = program.view(value);
        const part = random.subarray(i, i + array.length);
        const index = (x) => Math.floor(((x + 1) / 2) * below);
        array.set(part.map(value.dtype === "int32" ? index : (x) => low + ((x + 1) / 2) * (high - low)));
      }
    };
    return { before: load, run: () => program.run() };
  };
}
