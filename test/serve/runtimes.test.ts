// One service in Node 20 and 24 (on one thread and on two workers), Deno, Bun and workerd: the same requests over sockets have the same answers, byte for byte.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodes } from "../../scripts/nodes.mjs";
import { build, conv2d, dense, flatten, input, lstm, type Model, save, type Tensor, tensor } from "../../src/index.js";
import { quantizeLinear } from "../../src/ops/quantized/index.js";
import { type Deployed, deploy, launch } from "./runtimes/deploy.js";

const home = mkdtempSync(join(tmpdir(), "lanewise-contract-"));
const image = input([6, 6, 1], { name: "x" });
const steps = input([5, 4], { name: "x" });
const models: Record<string, Promise<Model>> = {
  cnn: build(
    image,
    dense(3, { activation: "softmax", name: "y" })(flatten()(conv2d(4, 3, { activation: "gelu" })(image))),
  ),
  lstm: build(steps, dense(2, { name: "y" })(lstm(8)(steps))),
  int8: build(steps, quantizeLinear(dense(2)(steps), { scale: 0.125, zeroPoint: 3 })),
};
const names = Object.keys(models);

const numbers = (count: number) => Array.from({ length: count }, (_, i) => ((i * 7) % 23) / 8 - 1);
const x = (rows: number, shape: readonly number[], more: object = {}) => {
  const data = numbers(shape.reduce((n, size) => n * size, rows));
  return { name: "x", shape: [rows, ...shape], datatype: "FP32", data, ...more };
};

type Asked = {
  path: string;
  method?: string;
  body?: string | Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
};
const infer = (model: string, body: unknown, headers = {}): Asked => ({
  path: `/v2/models/${model}/infer`,
  method: "POST",
  body: typeof body === "string" ? body : JSON.stringify(body),
  headers: { "content-type": "application/json", ...headers },
});

/** JSON, then the bytes of one input. */
function binary(model: string, rows: number, shape: readonly number[]): Asked {
  const bytes = new Uint8Array(Float32Array.from(x(rows, shape).data).buffer);
  const { data: _, ...head } = x(rows, shape, { parameters: { binary_data_size: bytes.length } });
  const json = new TextEncoder().encode(JSON.stringify({ inputs: [head], parameters: { binary_data_output: true } }));
  const body = new Uint8Array([...json, ...bytes]);
  const headers = {
    "content-type": "application/octet-stream",
    "inference-header-content-length": String(json.length),
  };
  return { path: `/v2/models/${model}/infer`, method: "POST", body, headers };
}

/** Every path of the protocol, and what must be refused. */
const asked: Asked[] = [
  ...["/v2", "/v2/health/live", "/v2/health/ready", "/v2/models", "/openapi.json", "/v3"].map((path) => ({ path })),
  ...names.flatMap((name) =>
    ["", "/ready", "/versions/1", "/versions/1/ready", "/versions/2"].map((rest) => ({
      path: `/v2/models/${name}${rest}`,
    })),
  ),
  infer("cnn", { id: "a-1", inputs: [x(3, [6, 6, 1])] }),
  infer("cnn/versions/1", { inputs: [x(1, [6, 6, 1])], outputs: [{ name: "y", parameters: { binary_data: true } }] }),
  infer("lstm", { inputs: [x(2, [5, 4])] }),
  infer("int8", { inputs: [x(2, [5, 4])] }),
  binary("cnn", 2, [6, 6, 1]),
  binary("lstm", 7, [5, 4]),
  binary("int8", 1, [5, 4]),
  infer("none", { inputs: [x(2, [5, 4])] }),
  infer("lstm", { inputs: [x(2, [4, 5])] }),
  infer("lstm", { inputs: [x(2, [5, 4], { datatype: "INT8" })] }),
  infer("lstm", { inputs: [x(2, [5, 4], { name: "z" })] }),
  infer("lstm", { inputs: [x(2, [5, 4], { data: [1, "two"] })] }),
  infer("lstm", '{"inputs": ['),
  infer("lstm", "[".repeat(10_000)),
  infer("lstm", '{"a":'.repeat(100_000)),
  infer(
    "lstm",
    JSON.stringify({ inputs: [x(1, [5, 4], { data: [] })] }).replace("[]", "[".repeat(1e5) + "]".repeat(1e5)),
  ),
  ...["[4503599627370496,5,4]", "[2147483648,2147483648]", "[-1,5,4]", "[1e400,5,4]", "[NaN,5,4]", "[0.5,5,4]"].map(
    (shape) => infer("lstm", JSON.stringify({ inputs: [x(1, [5, 4])] }).replace("[1,5,4]", shape)),
  ),
  infer("lstm", JSON.stringify({ inputs: [x(1, [5, 4])] }).replace('"data":[', '"data":[1e400,')),
  infer("lstm", `{"__proto__":${JSON.stringify({ inputs: [x(1, [5, 4])] })}}`),
  infer("lstm", `\ufeff${JSON.stringify({ id: "\ud800", inputs: [x(1, [5, 4])] })}`),
  { path: "/v2/models/lstm/infer" },
  { path: "/v2/models/..%2F..%2Fetc" },
];

async function answers({ url }: Deployed): Promise<string[]> {
  const list: string[] = [];
  for (const { path, ...init } of asked) {
    const response = await fetch(new URL(path, url), init);
    const body = Buffer.from(await response.arrayBuffer());
    const head = ["content-type", "inference-header-content-length"].map((name) => response.headers.get(name));
    const isText = !String(head[0]).includes("octet");
    list.push(`${init.method ?? "GET"} ${path} ${response.status} ${head} ${body.toString(isText ? "utf8" : "hex")}`);
  }
  return list;
}

const cli = resolve("dist/cli.js");
const files = () => names.map((name) => join(home, `${name}.safetensors`));
const onNode =
  (version: 20 | 24, ...more: string[]) =>
  async () =>
    launch(nodes()[version] as string, [cli, "serve", ...files(), "--port", "0", "--json", ...more], home);
const deno = [
  "run",
  "--no-remote",
  "--no-lock",
  "--node-modules-dir=manual",
  "--allow-read=.",
  "--allow-net=127.0.0.1",
];
const runtimes: Record<string, () => Promise<Deployed>> = {
  "Node 20": onNode(20),
  "Node 24": onNode(24),
  "Node 24 with two workers": onNode(24, "--workers", "2"),
  Deno: () => launch(resolve("node_modules/.bin/deno"), [...deno, "server.mjs", ...names], home),
  Bun: () => launch(resolve("node_modules/.bin/bun"), ["--no-install", "server.mjs", ...names], home),
  workerd: () => deploy(home, join(home, "worker.mjs"), files()),
};

beforeAll(async () => {
  execFileSync(process.execPath, ["scripts/build.mjs", "--quick"], { stdio: "ignore" });
  for (const name of names) writeFileSync(join(home, `${name}.safetensors`), save(await models[name]));
  const installed = join(home, "node_modules/lanewise");
  mkdirSync(installed, { recursive: true });
  cpSync("package.json", join(installed, "package.json"));
  cpSync("dist", join(installed, "dist"), { recursive: true, filter: (path) => !path.endsWith("types") });
  cpSync("test/serve/runtimes/server.mjs", join(home, "server.mjs"));
  writeFileSync(join(home, "package.json"), JSON.stringify({ type: "module", dependencies: { lanewise: "*" } }));
  const imports = names.map((name) => `import ${name} from "./${name}.safetensors";`).join("\n");
  const loaded = names.map((name) => `${name}: () => load(${name}, { layers: everyLayer })`).join(", ");
  writeFileSync(
    join(home, "worker.mjs"),
    `import { load } from "lanewise";
    import { everyLayer, handler } from "lanewise/serve";
    ${imports}
    export default { fetch: handler({ models: { ${loaded} } }) };`,
  );
}, 300_000);
afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

const isMissing = (name: string) => name === "Node 20" && !nodes()[20] && !process.env.CI;
const given = new Map<string, string[]>();
test.for(Object.entries(runtimes))("%s answers every path of the protocol", async ([name, begin], { skip }) => {
  if (isMissing(name)) skip("no Node 20 on PATH, and no path to one in the variable NODE_20");
  const server = await begin();
  try {
    given.set(name, await answers(server));
  } finally {
    await server.process.kill();
  }
  const of = (start: string) => given.get(name)?.find((line) => line.startsWith(start)) as string;
  const predicted = (await models.lstm).predict(tensor(x(2, [5, 4]).data, [2, 5, 4])) as Tensor;
  expect(of("POST /v2/models/lstm/infer 200")).toContain(JSON.stringify([...predicted.data]));
  const refused = given.get(name)?.filter((line) => / 4\d\d application\/json.*\{"error":".+"\}$/.test(line)) ?? [];
  expect(refused).toHaveLength(23);
});

test("answers are equal, byte for byte", () => {
  const [[, first], ...others] = [...given];
  expect([...given.keys()]).toEqual(Object.keys(runtimes).filter((name) => !isMissing(name)));
  for (const [name, list] of others) expect(list, name).toEqual(first);
});
