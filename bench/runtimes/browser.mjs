// Chromium and Firefox, those of the two that are installed: a page that measures and posts its rows. It is isolated from other
// origins, which sharpens the clock: 5 microseconds in Chromium, 20 in Firefox.
import { bundle, FOLDER, fromTests } from "./bundle.mjs";

const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
const SECONDS = 1800;

const page = (options) => `<!doctype html>
<meta charset="utf-8">
<title>Lanewise benchmark</title>
<script type="module">
  const post = (result) => fetch("/result", { method: "POST", body: JSON.stringify(result) });
  try {
    const { bench } = await import("/portable.mjs");
    post(await bench(await WebAssembly.compileStreaming(fetch("/roofs.wasm")), ${JSON.stringify(options)}));
  } catch (error) {
    post({ error: String(error.stack ?? error) });
  }
</script>
`;

export async function browser(options) {
  const { kinds, missing, versionOf, visit } = await fromTests("runtimes/browsers");
  await bundle("portable.mjs", { conditions: ["browser"], platform: "browser" });
  const results = [];
  for (const kind of kinds) {
    const version = versionOf(kind);
    if (version === undefined) {
      console.error(`SKIPPED ${kind.name}: ${missing(kind)}`);
      continue;
    }
    const { error, ...result } = await visit(kind, FOLDER, page(options), { headers: ISOLATED, seconds: SECONDS });
    if (error) throw new Error(`${kind.name}: ${error}`);
    results.push({ name: kind.name.toLowerCase(), runtime: `${kind.name} ${version}`, ...result });
  }
  return results;
}
