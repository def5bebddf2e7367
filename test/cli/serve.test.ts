// lanewise serve: files and stores, over a socket.
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { save, type Tensor, tensor } from "../../src/index.js";
import { folderStore, publish } from "../../src/serve/index.js";
import { small, x } from "../serve/service.js";
import { folder, lanewise, serving } from "./command.js";

const home = folder();

const infer = async (url: string, model: string, rows = 1) => {
  const response = await fetch(`${url}/v2/models/${model}/infer`, {
    method: "POST",
    body: JSON.stringify({ inputs: [x(rows)] }),
  });
  return { status: response.status, json: JSON.parse(await response.text()) };
};

test("a file is served under its base name, a folder as a store; a signal ends it once requests are answered", async () => {
  const model = await small(3);
  writeFileSync(join(home, "first.safetensors"), save(model));
  const store = join(home, "store");
  await publish(folderStore(store), "second", await small(4), { version: "7" });
  const server = await serving(join(home, "first.safetensors"), store, "--max-wait", "400", "--metrics");
  expect(server.models).toEqual(["first", "second"]);
  const expected = model.predict(tensor(x(2).data, [2, 4])) as Tensor;
  expect((await infer(server.url, "first", 2)).json.outputs[0].data).toEqual([...expected.data]);
  expect((await infer(server.url, "second")).json.model_version).toBe("7");
  expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('lanewise_samples_total{model="first"} 2');

  const waiting = infer(server.url, "first"); // for others, up to 400 ms
  await new Promise((resolve) => setTimeout(resolve, 100));
  const code = server.end("SIGTERM");
  expect((await waiting).status).toBe(200);
  expect(await code).toBe(0);
  expect(server.stderr()).toBe(`lanewise: serving first, second on ${server.url}\n`);
  await expect(fetch(`${server.url}/v2`)).rejects.toThrow();
});

test("several workers answer together, and end once requests are answered", async () => {
  const model = await small(5);
  writeFileSync(join(home, "shared.safetensors"), save(model));
  const server = await serving(join(home, "shared.safetensors"), "--workers", "2", "--max-wait", "100", "--metrics");
  const expected = [1, 2, 3].map((rows) => [...(model.predict(tensor(x(rows).data, [rows, 4])) as Tensor).data]);
  const asked = Array.from({ length: 30 }, (_, i) => infer(server.url, "shared", 1 + (i % 3)));
  const answers = await Promise.all(asked);
  answers.forEach(({ status, json }, i) => {
    expect([status, json.outputs[0].data]).toEqual([200, expected[i % 3]]);
  });
  expect((await infer(server.url, "absent")).json.error).toBe('there is no model "absent"');
  const numbers = await (await fetch(`${server.url}/metrics`)).text();
  expect(numbers).toContain('lanewise_samples_total{model="shared"} 60\n');
  expect(numbers).toContain('lanewise_requests_total{model="shared",status="200"} 30\n');
  expect(numbers).toContain('lanewise_request_seconds_count{model="shared"} 30\n');
  expect(numbers.match(/# TYPE lanewise_requests_total/g)).toHaveLength(1);
  const waiting = infer(server.url, "shared");
  await new Promise((resolve) => setTimeout(resolve, 30));
  const code = server.end("SIGTERM");
  expect((await waiting).status).toBe(200);
  expect(await code).toBe(0);
});

test("tokens are asked for, and other origins are let in", async () => {
  writeFileSync(join(home, "guarded.safetensors"), save(await small()));
  writeFileSync(join(home, "tokens"), "one\n\ntwo\n");
  const paths = [join(home, "guarded.safetensors"), "--tokens", join(home, "tokens")];
  const server = await serving(...paths, "--cors", "https://example.org");
  const ask = (token: string) =>
    fetch(`${server.url}/v2`, { headers: { authorization: `Bearer ${token}`, origin: "https://example.org" } });
  expect((await ask("three")).status).toBe(401);
  const response = await ask("two");
  expect(response.status).toBe(200);
  expect(response.headers.get("access-control-allow-origin")).toBe("https://example.org");
  expect(await server.end("SIGINT")).toBe(0);
});

const tflite = "../shared/tflite/models/kws_int8.tflite";
test.skipIf(!existsSync(tflite))("a TFLite file is served as it is", async () => {
  const file = join(home, "keywords.tflite");
  copyFileSync(tflite, file);
  const server = await serving(file);
  const metadata = JSON.parse(await (await fetch(`${server.url}/v2/models/keywords`)).text());
  expect(metadata.inputs[0].datatype).toBe("INT8");
  const { shape } = metadata.inputs[0];
  const data = Array.from(
    { length: shape.reduce((n: number, d: number) => n * Math.abs(d), 1) },
    (_, i) => (i % 9) - 4,
  );
  const body = { inputs: [{ name: metadata.inputs[0].name, shape: shape.map(Math.abs), datatype: "INT8", data }] };
  const response = await fetch(`${server.url}/v2/models/keywords/infer`, {
    method: "POST",
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  expect(JSON.parse(await response.text()).outputs[0].datatype).toBe("INT8");
  expect(await server.end("SIGTERM")).toBe(0);
});

test("bad usage is one line and exit code 2", async () => {
  writeFileSync(join(home, "twice.safetensors"), save(await small()));
  const twice = join(home, "twice.safetensors");
  const cases: [args: string[], said: string][] = [
    [[], "lanewise: expected a command; `lanewise --help` lists them"],
    [["sevre"], "lanewise: unknown command 'sevre' (Did you mean serve?)"],
    [["serve"], "lanewise: missing required argument 'path'"],
    [["serve", "/no/such.safetensors"], "lanewise: /no/such.safetensors: there is no such file or folder"],
    [["serve", twice, "--port", "70000"], 'lanewise: --port: expected an integer from 0 to 65535, got "70000"'],
    [["serve", twice, "--prot", "1"], "lanewise: unknown option '--prot' (Did you mean --port?)"],
    [["serve", twice, twice], `lanewise: ${twice}: there is a "twice" already`],
  ];
  for (const [args, said] of cases) expect(lanewise(args)).toEqual({ code: 2, stdout: "", stderr: `${said}\n` });
});

test("a file that is no model, and a port that is taken, are said on one line", async () => {
  writeFileSync(join(home, "broken.safetensors"), "not a model at all");
  const broken = lanewise(["serve", join(home, "broken.safetensors")]);
  expect(broken).toMatchObject({ code: 1, stdout: "" });
  expect(broken.stderr).toMatch(/^lanewise: .*safetensors.*\n$/);
  writeFileSync(join(home, "one.safetensors"), save(await small()));
  const server = await serving(join(home, "one.safetensors"));
  const { port } = new URL(server.url);
  const second = lanewise(["serve", join(home, "one.safetensors"), "--port", port]);
  expect(second).toEqual({ code: 2, stdout: "", stderr: `lanewise: 127.0.0.1:${port}: the port is taken\n` });
  await server.end("SIGTERM");
});
