// examples/worker as it is deployed, on workerd; a real browser draws digits on its page and reads what it shows.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kinds, missing, versionOf } from "../runtimes/browsers.js";
import { start } from "../runtimes/runtime.js";
import { type Deployed, deploy } from "./runtimes/deploy.js";

const home = mkdtempSync(join(tmpdir(), "lanewise-example-"));
const model = join(home, "digits.safetensors");
let deployed: Deployed;

/** Draws on the page of the frame as a hand does, and writes down what the page then says. */
const DRIVER = `<!doctype html><meta charset="utf-8"><iframe src="/" width="800" height="600"></iframe><pre></pre>
<script type="module">
const circle = Array.from({ length: 33 }, (_, i) => [140 + 60 * Math.cos(i / 5.09), 140 + 95 * Math.sin(i / 5.09)]);
const drawings = { 0: [circle], 1: [[[140, 40], [140, 240]]], 7: [[[70, 50], [210, 50], [130, 240]]] };
const frame = document.querySelector("iframe");
await new Promise((resolve) => frame.addEventListener("load", resolve));
const page = frame.contentDocument;
const canvas = page.querySelector("canvas");
const status = page.querySelector("[role=status]");
const send = (target, type, [x, y]) => {
  const box = canvas.getBoundingClientRect();
  target.dispatchEvent(new frame.contentWindow.PointerEvent(type, { clientX: box.left + x, clientY: box.top + y, bubbles: true }));
};
const said = {};
for (const [digit, strokes] of Object.entries(drawings)) {
  page.querySelector("button").click();
  const cleared = status.textContent === "" && page.querySelector(".best") === null;
  for (const [first, ...rest] of strokes) {
    send(canvas, "pointerdown", first);
    for (const point of rest) send(canvas, "pointermove", point);
    send(canvas, "pointerup", rest.at(-1));
  }
  while (status.textContent === "") await new Promise((resolve) => setTimeout(resolve, 10));
  said[digit] = { cleared, best: page.querySelector(".best span")?.textContent, status: status.textContent };
}
document.querySelector("pre").textContent = JSON.stringify(said);
</script>`;

beforeAll(async () => {
  execFileSync(process.execPath, ["scripts/build.mjs", "--quick"], { stdio: "ignore" });
  const train = ["train", "examples/worker/train.mjs", "--out", model];
  execFileSync(process.execPath, ["dist/cli.js", ...train], { stdio: "ignore" });
  writeFileSync(join(home, "driver.html"), DRIVER);
  writeFileSync(
    join(home, "entry.mjs"),
    `import worker from ${JSON.stringify(resolve("examples/worker/worker.js"))};
    import driver from "./driver.html";
    const headers = { "content-type": "text/html" };
    export default { fetch: (request, env, ctx) =>
      new URL(request.url).pathname === "/driver" ? new Response(driver, { headers }) : worker.fetch(request, env, ctx) };`,
  );
  const files = [model, "examples/worker/page.html", join(home, "driver.html")];
  deployed = await deploy(home, join(home, "entry.mjs"), files);
}, 300_000);
afterAll(async () => {
  await deployed?.process.kill();
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
});

test("is under 150 KB gzipped: code, kernels, model and page", () => {
  console.info(`examples/worker: ${deployed.bytes} bytes gzipped`);
  expect(deployed.bytes).toBeGreaterThan(20_000);
  expect(deployed.bytes).toBeLessThan(150_000);
});

test("serves its model, and refuses what does not fit", async () => {
  expect((await fetch(`${deployed.url}v2/models/digits/ready`)).status).toBe(200);
  const response = await fetch(`${deployed.url}v2/models/digits/infer`, { method: "POST", body: '{"inputs":[]}' });
  expect(response.status).toBe(400);
});

const [chromium] = kinds;
test("one draws 0, 1 and 7 on the page in Chromium, and it says so", async ({ skip }) => {
  if (versionOf(chromium) === undefined && !process.env.CI) skip(missing(chromium));
  const [command] = chromium.commands
    .flatMap((name) => (process.env.PATH ?? "").split(":").map((folder) => join(folder, name)))
    .filter(existsSync);
  const options = ["--dump-dom", "--virtual-time-budget=20000"];
  const opened = chromium.open(join(home, "profile"), `${deployed.url}driver`);
  const running = start(process.env.CHROMIUM ?? command, [...options, ...opened]);
  try {
    await running.ended;
  } finally {
    await running.kill();
  }
  const said = JSON.parse(/<pre>(.+)<\/pre>/.exec(running.stdout())?.[1] ?? "{}");
  const answer = (best: string) => ({ cleared: true, best, status: expect.stringMatching(/^\d+ ms$/) });
  expect(said, running.stderr().slice(-2000)).toEqual({ 0: answer("0"), 1: answer("1"), 7: answer("7") });
});
