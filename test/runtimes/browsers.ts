// Chromium and Firefox as they are installed: headless, a fresh profile, one page served on loopback that posts its result.
// No driver, no bundler, no import map: the page imports the files that the package's condition "browser" names.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, extname, join } from "node:path";
import { text } from "node:stream/consumers";
import type { Packed } from "../packed.js";
import { answer, type Report, type Runtime, start } from "./runtime.js";

export interface Browser {
  readonly name: string;
  readonly commands: readonly string[];
  readonly environment: string;
  /** Prepares the empty profile and says how to open `url` with it. */
  open(profile: string, url: string): string[];
}

const CHROMIUM: Browser = {
  name: "Chromium",
  commands: [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ],
  environment: "CHROMIUM",
  open: (profile, url) => [
    "--headless=new",
    "--no-sandbox", // root may not have one, and the page is ours
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-proxy-server",
    `--user-data-dir=${profile}`,
    url,
  ],
};

const FIREFOX: Browser = {
  name: "Firefox",
  commands: ["firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"],
  environment: "FIREFOX",
  open: (profile, url) => {
    writeFileSync(join(profile, "user.js"), FIREFOX_PREFERENCES.map(([k, v]) => `user_pref("${k}", ${v});\n`).join(""));
    return ["--headless", "--no-remote", "--new-instance", "--profile", profile, url];
  },
};

// Nothing but the page: no welcome tabs, updates, telemetry, studies or connectivity checks.
const FIREFOX_PREFERENCES = [
  ["app.normandy.enabled", false],
  ["app.update.auto", false],
  ["browser.aboutwelcome.enabled", false],
  ["browser.region.update.enabled", false],
  ["browser.safebrowsing.update.enabled", false],
  ["browser.shell.checkDefaultBrowser", false],
  ["browser.startup.homepage_override.mstone", '"ignore"'],
  ["datareporting.healthreport.uploadEnabled", false],
  ["datareporting.policy.dataSubmissionEnabled", false],
  ["extensions.update.enabled", false],
  ["network.captive-portal-service.enabled", false],
  ["network.connectivity-service.enabled", false],
  ["network.proxy.type", 0],
  ["services.settings.server", '"data:,"'],
  ["toolkit.telemetry.reportingpolicy.firstRun", false],
  ["toolkit.telemetry.server", '""'],
] as const;

export const kinds: readonly Browser[] = [CHROMIUM, FIREFOX];

/** A page that nothing of another origin reaches may share memory with its workers. */
const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

export const browsers = (packed: () => Packed): Runtime[] =>
  kinds.map((kind) => ({
    name: kind.name,
    missing: missing(kind),
    version: () => versionOf(kind),
    run: (folder) => visit<Report>(kind, folder, page(packed()), { headers: ISOLATED }),
  }));

/** What to say when this machine lacks it. */
export const missing = ({ commands, environment }: Browser): string =>
  `no ${commands.slice(0, 2).join(" or ")} on PATH, and no path to one in the variable ${environment}`;

/** Its command, where this machine has it. */
export function find({ commands, environment }: Browser): string | undefined {
  const onPath = (process.env.PATH ?? "").split(delimiter);
  const places = commands.flatMap((command) =>
    command.startsWith("/") ? [command] : onPath.map((f) => join(f, command)),
  );
  return [process.env[environment], ...places].find((path) => path && existsSync(path));
}

/**
 * Opens a page in a fresh, headless browser; the page may import the scripts of `folder`, and answers by posting JSON to /result.
 * @param headers of every response
 * @param seconds after which there is no answer
 */
export async function visit<T>(
  kind: Browser,
  folder: string,
  html: string,
  { headers = {}, seconds = 150 }: { headers?: Record<string, string>; seconds?: number } = {},
): Promise<T> {
  const profile = mkdtempSync(join(tmpdir(), `lanewise-${kind.name.toLowerCase()}-`));
  const { server, url, posted } = await serve<T>(folder, html, headers);
  const env = { ...process.env, MOZ_CRASHREPORTER_DISABLE: "1", TMPDIR: profile }; // sockets too go when it goes
  const running = start(find(kind) as string, kind.open(profile, url), { env });
  try {
    return await answer(posted, running, seconds);
  } finally {
    await running.kill();
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Undefined when it is not on this machine. */
export function versionOf(kind: Browser): string | undefined {
  const command = find(kind);
  if (command === undefined) return undefined;
  const said = execFileSync(command, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return /\d+(\.\d+)+\w*/.exec(said)?.[0] ?? said.trim();
}

function page(packed: Packed): string {
  const url = (specifier: string) => `/${packed.resolve(specifier, ["browser", "import"])}`;
  return `<!doctype html>
<meta charset="utf-8">
<title>Lanewise</title>
<script type="module">
  const post = (result) => fetch("/result", { method: "POST", body: JSON.stringify(result) });
  try {
    const { report } = await import("/report.mjs");
    const modules = ["${url("lanewise")}", "${url("lanewise/train")}", "${url("lanewise/data")}", "${url("lanewise/int8")}"];
    const [lanewise, train, data, int8] = await Promise.all(modules.map((module) => import(module)));
    const scalar = await (await fetch("/kernels.scalar.wasm")).arrayBuffer();
    await post(await report({ ...lanewise, ...int8 }, train, data, scalar));
  } catch (error) {
    await post({ error: String(error.stack ?? error) });
  }
</script>
`;
}

const TYPES: Record<string, string> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** Serves the folder's scripts and the page on a free port; `posted` is what the page sends back. */
async function serve<T>(
  folder: string,
  html: string,
  headers: Record<string, string>,
): Promise<{ server: Server; url: string; posted: Promise<T> }> {
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const path = new URL(request.url as string, "http://loopback").pathname;
    const type = TYPES[extname(path)];
    if (path === "/") response.setHeader("content-type", "text/html").end(html);
    else if (path === "/result") response.end();
    else if (type && existsSync(join(folder, path))) {
      response.setHeader("content-type", type).end(readFileSync(join(folder, path)));
    } else response.writeHead(404).end();
  });
  const posted = new Promise<T>((resolve, reject) => {
    server.on("request", (request) => {
      if (request.method === "POST") text(request).then((json) => resolve(JSON.parse(json)), reject);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, posted };
}
