// The five commands of the README, from an empty folder to a served, quantized model: the packed package, as a user has it.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digits } from "../../src/data/index.js";
import { type Packed, pack } from "../packed.js";

const home = mkdtempSync(join(tmpdir(), "lanewise-readme-"));
let packed: Packed;
beforeAll(() => {
  packed = pack();
}, 300_000);
afterAll(() => {
  packed?.remove();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

const block = /```\n(npm install lanewise\n(?:npx lanewise .+\n)+)```/.exec(readFileSync("README.md", "utf8"))?.[1];

test("the README goes from nothing to a served, quantized model in five commands", async () => {
  const commands = (block ?? "").trim().split("\n");
  expect(commands).toHaveLength(5);
  const [install, ...rest] = commands.map((line) => line.replace(/ +#.*$/, "").split(" "));
  const serve = rest.pop() as string[];
  // npm and npx are those of the Node that runs this; nothing comes from the registry.
  const env = {
    ...process.env,
    PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
    npm_config_offline: "true",
  };
  const run = ([command, ...args]: string[]) =>
    execFileSync(command, args, { cwd: home, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  run([...install.map((word) => (word === "lanewise" ? packed.tarball : word)), "--no-audit", "--no-fund"]);
  for (const command of rest) run(command);
  const size = (name: string) => readFileSync(join(home, name)).length;
  expect(size("digits-int8.safetensors")).toBeLessThan(0.4 * size("digits.safetensors"));

  const [command, ...args] = serve;
  const server = spawn(command, [...args, "--port", "0", "--json"], { cwd: home, env, detached: true });
  try {
    const said = await new Promise<string>((resolve, reject) => {
      server.stdout.once("data", (bytes) => resolve(String(bytes)));
      server.once("exit", (code) => reject(new Error(`ended with ${code}`)));
    });
    const { url, models } = JSON.parse(said);
    expect(models).toEqual(["digits-int8"]);
    const { x, y } = digits({ count: 100, seed: 9 });
    const tensor = { name: "image", shape: x.shape, datatype: "FP32", data: [...x.data] };
    const init = { method: "POST", body: JSON.stringify({ inputs: [tensor] }) };
    const response = await fetch(`${url}/v2/models/digits-int8/infer`, init);
    const { data } = JSON.parse(await response.text()).outputs[0];
    const best = (row: number[]) => row.indexOf(Math.max(...row));
    const right = [...y.data].filter((label, i) => best(data.slice(10 * i, 10 * i + 10)) === label).length;
    expect(right).toBeGreaterThan(80);
  } finally {
    process.kill(-(server.pid as number), "SIGKILL");
  }
});
