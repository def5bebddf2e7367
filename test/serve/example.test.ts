// examples/worker as it is deployed: on workerd (the model from its KV namespace), on Node, Deno and Bun, and as a service worker without any server; real browsers draw digits on its
// page and read what it shows.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { AddressInfo, Server } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import puppeteer, { type Browser as Opened, type Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kv } from "../../examples/worker/kv.mjs";
import { load } from "../../src/index.js";
import { kvStore, publish } from "../../src/serve/index.js";
import { type Browser, find, kinds, missing } from "../runtimes/browsers.js";
import { type Process, start } from "../runtimes/runtime.js";
import { type Deployed, deploy } from "./runtimes/deploy.js";

const home = mkdtempSync(join(tmpdir(), "lanewise-example-"));
const app = join(home, "app");
const file = join(app, "digits.safetensors");
const namespace = kv();
let values: Server;
let deployed: Deployed;

beforeAll(async () => {
  execFileSync(process.execPath, ["scripts/build.mjs", "--quick"], { stdio: "ignore" });
  cpSync("examples/worker", app, {
    recursive: true,
    filter: (path) => !/\.safetensors$|worker\/(node_modules|out)\b/.test(path),
  });
  const modules = join(home, "node_modules");
  mkdirSync(join(modules, "@hono"), { recursive: true });
  for (const name of ["hono", "@hono/node-server"])
    cpSync(`node_modules/${name}`, join(modules, name), { recursive: true });
  symlinkSync(resolve("node_modules/esbuild"), join(modules, "esbuild")); // the offline page is bundled when it is made
  cpSync("package.json", join(modules, "lanewise/package.json"));
  cpSync("dist", join(modules, "lanewise/dist"), { recursive: true, filter: (path) => !path.endsWith("types") });
  writeFileSync(
    join(home, "package.json"),
    JSON.stringify({ type: "module", dependencies: { lanewise: "*", "@hono/node-server": "*" } }),
  );
  const train = ["train", "examples/worker/train.mjs", "--out", file];
  execFileSync(process.execPath, ["dist/cli.js", ...train], { stdio: "ignore" });
  await publish(kvStore(namespace.namespace), "digits", await load(readFileSync(file)));
  values = await namespace.listen();
  const { port } = values.address() as AddressInfo;
  deployed = await deploy(home, join(app, "worker.js"), [join(app, "page.html")], port);
}, 300_000);
afterAll(async () => {
  await deployed?.process.kill();
  values?.close();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

/** Strokes in pixels of the canvas, as a hand makes them. */
const circle = Array.from({ length: 33 }, (_, i) => [140 + 60 * Math.cos(i / 5.09), 140 + 95 * Math.sin(i / 5.09)]);
const drawings: Record<string, readonly number[][]> = {
  0: circle,
  1: [
    [140, 40],
    [140, 240],
  ],
  7: [
    [70, 50],
    [210, 50],
    [130, 240],
  ],
};

const said = (page: Page) =>
  page.evaluate(() => ({
    best: document.querySelector(".best span")?.textContent,
    status: document.querySelector("[role=status]")?.textContent ?? "",
  }));

/** Draws each digit, and tells what the page then says. */
async function draw(page: Page): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {};
  for (const [digit, [first, ...rest]] of Object.entries(drawings)) {
    await page.click("button");
    expect(await said(page)).toEqual({ best: undefined, status: "" });
    const box = await (await page.$("canvas"))?.boundingBox();
    const [left, top] = [box?.x ?? Number.NaN, box?.y ?? Number.NaN];
    await page.mouse.move(left + first[0], top + first[1]);
    await page.mouse.down();
    for (const [x, y] of rest) await page.mouse.move(left + x, top + y, { steps: 3 });
    await page.mouse.up();
    await page.waitForFunction(() => document.querySelector("[role=status]")?.textContent !== "");
    answers[digit] = await said(page);
  }
  return answers;
}

const right = Object.fromEntries(
  Object.keys(drawings).map((best) => [best, { best, status: expect.stringMatching(/^\d+ ms$/) }]),
);

async function inBrowser(kind: Browser, use: (browser: Opened) => Promise<void>): Promise<void> {
  const executablePath = find(kind) as string;
  const isFirefox = kind.name === "Firefox";
  const args = isFirefox ? [] : ["--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server"];
  const browser = await puppeteer.launch({ browser: isFirefox ? "firefox" : "chrome", executablePath, args });
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
}

describe.each(kinds)("in $name", (kind) => {
  const absent = find(kind) === undefined && !process.env.CI;

  test("one draws 0, 1 and 7 on the page, and it says so", async ({ skip }) => {
    if (absent) skip(missing(kind));
    await inBrowser(kind, async (browser) => {
      const page = await browser.newPage();
      await page.goto(deployed.url);
      const empty = await page.screenshot();
      expect(await draw(page)).toEqual(right);
      const drawn = await page.screenshot();
      mkdirSync("build/screenshots", { recursive: true });
      writeFileSync(`build/screenshots/worker-${kind.name}.png`, drawn);
      expect([...drawn.subarray(1, 4)]).toEqual([...Buffer.from("PNG")]);
      expect(drawn.length).toBeGreaterThan(empty.length);
    });
  });

  test("a service worker classifies what one draws when its server is gone", async ({ skip }) => {
    if (absent) skip(missing(kind));
    const port = await freePort();
    const args = [join(app, "offline.mjs"), String(port), join(home, "offline")];
    const server = start(process.execPath, args, { cwd: app });
    try {
      const url = `http://127.0.0.1:${port}/`;
      await answered(url, server);
      await inBrowser(kind, async (browser) => {
        const page = await browser.newPage();
        await page.goto(url);
        await page.waitForSelector("canvas");
        await server.kill();
        await expect(fetch(url)).rejects.toThrow();
        await page.reload();
        await page.waitForSelector("canvas");
        expect(await draw(page)).toEqual(right);
      });
    } finally {
      await server.kill();
    }
  });
});

const servers: Record<string, readonly [command: string, ...args: string[]]> = {
  Node: [process.execPath, "node.mjs"],
  Deno: [
    resolve("node_modules/.bin/deno"),
    ...["run", "--no-remote", "--no-lock", "--node-modules-dir=manual", "--allow-read=.", "--allow-net=127.0.0.1"],
    "deno.mjs",
  ],
  Bun: [resolve("node_modules/.bin/bun"), "--no-install", "bun.mjs"],
};

async function infer(url: string): Promise<string> {
  const tensor = { name: "image", shape: [1, 28, 28, 1], datatype: "FP32", data: Array(784).fill(0.5) };
  const init = { method: "POST", body: JSON.stringify({ inputs: [tensor] }) };
  return (await fetch(`${url}v2/models/digits/infer`, init)).text();
}

test.each(Object.entries(servers))("%s serves page and model with its own server", async (_, [command, ...args]) => {
  const port = await freePort();
  const env = { ...process.env, NODE_OPTIONS: "", DENO_DIR: join(home, ".deno"), DENO_NO_UPDATE_CHECK: "1" };
  const server = start(command, [...args, String(port)], { cwd: app, env });
  try {
    const url = `http://127.0.0.1:${port}/`;
    await answered(`${url}v2/health/live`, server);
    expect(await (await fetch(url)).text()).toContain("<canvas");
    const [here, there] = await Promise.all([url, deployed.url].map(infer));
    expect(here).toBe(there);
    expect(JSON.parse(here).outputs[0].data).toHaveLength(10);
  } finally {
    await server.kill();
  }
});

test("is under 150 KB gzipped, the model in the namespace or in the bundle, and answers the same", async () => {
  const bundled = await deploy(home, join(app, "bundled.js"), [file, join(app, "page.html")]);
  try {
    expect(await infer(bundled.url)).toBe(await infer(deployed.url));
  } finally {
    await bundled.process.kill();
  }
  console.info(`examples/worker: ${deployed.bytes} bytes gzipped, ${bundled.bytes} with the model`);
  expect(deployed.bytes).toBeGreaterThan(20_000);
  expect(bundled.bytes).toBeGreaterThan(deployed.bytes as number);
  expect(bundled.bytes).toBeLessThan(150_000);
});

test("a version that is published into the namespace afterwards serves by its number", async () => {
  const { version } = await publish(kvStore(namespace.namespace), "digits", await load(readFileSync(file)));
  const response = await fetch(`${deployed.url}v2/models/digits/versions/${version}/ready`);
  expect(await response.json()).toEqual({ name: "digits", ready: true });
});

test("serves its model, and refuses what does not fit", async () => {
  expect((await fetch(`${deployed.url}v2/models/digits/ready`)).status).toBe(200);
  const response = await fetch(`${deployed.url}v2/models/digits/infer`, { method: "POST", body: '{"inputs":[]}' });
  expect(response.status).toBe(400);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** Waits until an address answers. @throws when its process ends instead */
async function answered(url: string, server: Process): Promise<void> {
  let code: number | string | undefined;
  server.ended.then((given) => {
    code = given;
  });
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    if (code !== undefined) throw new Error(`ended with ${code}\n${server.stderr()}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
