// lanewise pack: a model as a Worker, ready for wrangler.
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { topological } from "../graph/walk.js";
import { type Model, save } from "../index.js";
import { commonOps } from "../ops/index.js";
import { modelName, openFile } from "./files.js";
import { fileError, UsageError } from "./usage.js";

declare const __VERSION__: string;

export function addPack(program: Command): void {
  program
    .command("pack")
    .description("a ready Worker that serves a model: its module, wrangler.toml, package.json and the model")
    .argument("<file>", "a model: safetensors or TFLite")
    .argument("<outdir>", "a folder that is not there yet, or empty")
    .option("--json", "the files as JSON on standard output")
    .action(async (file: string, folder: string, { json }: { json?: boolean }) => {
      const name = modelName(file);
      if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(name))
        throw new UsageError(
          `${file}: expected a name of letters, digits, ".", "_" and "-", which will be the model's`,
        );
      const { model } = await openFile(file);
      const files = project(name, model);
      await mkdir(folder, { recursive: true }).catch((error) => {
        throw fileError(folder, error);
      });
      if ((await readdir(folder)).length > 0) throw new UsageError(`${folder}: expected an empty folder`);
      for (const [path, content] of Object.entries(files)) await writeFile(join(folder, path), content);
      if (json) console.log(JSON.stringify({ folder, files: Object.keys(files) }));
      else console.error(`${folder}: ${Object.keys(files).join(", ")}; next: cd ${folder} && npm install && npm start`);
    });
}

/** Whether a bundle with `load` can read it without being told of its layers. */
function isCommon({ graph }: Model): boolean {
  return topological(graph.outputs).every(({ op, inputs }) => {
    return inputs.length === 0 || commonOps.some((table) => Object.hasOwn(table, op.name));
  });
}

function project(name: string, model: Model): Record<string, string | Uint8Array> {
  const [imports, options] = isCommon(model) ? ["handler", ""] : ["everyLayer, handler", ", { layers: everyLayer }"];
  const worker = name.toLowerCase().replace(/[^a-z0-9-]+/g, "-");
  const file = `${name}.safetensors`;
  return {
    "worker.js": `import { load } from "lanewise";
import { ${imports} } from "lanewise/serve";
import bytes from "./${file}";

// POST /v2/models/${name}/infer; what else there is: /openapi.json
export default { fetch: handler({ models: { ${JSON.stringify(name)}: () => load(bytes${options}) } }) };
`,
    "wrangler.toml": `name = "${worker}"
main = "worker.js"
compatibility_date = "2026-01-01"

[[rules]]
type = "Data"
globs = ["**/*.safetensors"]
fallthrough = true
`,
    "package.json": `${JSON.stringify(
      {
        name: worker,
        private: true,
        type: "module",
        scripts: { start: "wrangler dev", deploy: "wrangler deploy" },
        dependencies: { lanewise: `^${__VERSION__}` },
        devDependencies: { wrangler: "^4.0.0" },
      },
      undefined,
      2,
    )}\n`,
    [file]: save(model),
  };
}
