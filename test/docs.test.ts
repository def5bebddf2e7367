// What is documented is true: every public function has a docstring with an example, and all examples run, those of the README too.
// A line `expression; // value` of an example is an assertion when the value is JSON.
import { existsSync, readFileSync } from "node:fs";
import { transform } from "esbuild";
import { describe, expect, test } from "vitest";
import * as compress from "../src/compress/index.js";
import * as data from "../src/data/index.js";
import * as tflite from "../src/formats/tflite/index.js";
import * as lanewise from "../src/index.js";
import * as int8 from "../src/ops/quantized/index.js";
import * as raw from "../src/runtime/raw.js";
import * as serve from "../src/serve/index.js";
import * as train from "../src/train/index.js";
import { sources } from "./sources.js";

const root = new URL("../", import.meta.url);
const entries: Record<string, Record<string, unknown>> = {
  lanewise,
  "lanewise/train": train,
  "lanewise/data": data,
  "lanewise/int8": int8,
  "lanewise/tflite": tflite,
  "lanewise/compress": compress,
  "lanewise/kernels": raw,
  "lanewise/serve": serve,
};

interface Documented {
  readonly name: string;
  readonly path: string;
  readonly comment: string;
}

/** Exported functions, constants and classes with the comment before them. */
const documented: Documented[] = sources(new URL("src/", root).pathname).flatMap(({ path, text }) => {
  const exported = /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?export (?:async )?(?:function|const|class) (\w+)/g;
  return [...text.matchAll(exported)].map(([, comment = "", name]) => ({
    path,
    name,
    comment: comment.replace(/^\s*\* ?/gm, ""),
  }));
});

/** An example as the body of an async function: imports become parameters, comments with JSON become assertions. */
async function run(example: string): Promise<void> {
  const scope: Record<string, unknown> = { expect };
  const imports = [...example.matchAll(/^import \{([^}]*)\} from "(lanewise[^"]*)";$/gm)];
  const wanted = imports.flatMap(([, names, from]) => names.split(",").map((name) => [from, name.trim()]));
  for (const [from, name] of wanted) scope[name] = entries[from]?.[name];
  if (imports.length === 0) for (const each of Object.values(entries)) Object.assign(scope, each);
  const body = example
    .replace(/^import .*$/gm, "")
    .replace(
      /^(?!\s*(?:const|let|for|if)\b)(.*\S); \/\/ ([[{"\d-].*)$/gm,
      (line, expression: string, value: string) => {
        try {
          JSON.parse(value);
        } catch {
          return line;
        }
        return `expect(${expression}).toEqual(${value});`;
      },
    );
  // In a block of its own, an example may give its results the names of functions.
  const { code } = await transform(`export default async ({ ${Object.keys(scope).join(", ")} }) => {{\n${body}\n}}`, {
    loader: "ts",
    format: "cjs",
  });
  const module: { exports: { default?: (scope: unknown) => Promise<void> } } = { exports: {} };
  new Function("module", "exports", code)(module, module.exports);
  await module.exports.default?.(scope);
}

describe("docstrings", () => {
  for (const [entry, exports] of Object.entries(entries)) {
    test.each(Object.keys(exports).filter((name) => typeof exports[name] === "function"))(
      `${entry}: %s says what it does`,
      (name) => {
        const comments = documented.filter((each) => each.name === name && each.comment.trim() !== "");
        expect(comments, `${name} has a docstring`).not.toEqual([]);
        const isError = (exports[name] as { prototype?: unknown }).prototype instanceof Error;
        if (!isError)
          expect(
            comments.some(({ comment }) => comment.includes("@example")),
            `${name} has an example`,
          ).toBe(true);
      },
    );
  }

  const examples = documented.filter(({ comment }) => comment.includes("@example"));
  test.each(examples.map(({ name, path, comment }) => [name, path, comment.split("@example")[1]]))(
    "the example of %s (%s) runs",
    async (_name, _path, example) => {
      await run(example);
    },
  );
});

describe("README", () => {
  const text = readFileSync(new URL("README.md", root), "utf8");
  const blocks = [...text.matchAll(/```(?:js|ts)\n([\s\S]*?)```/g)].map(([, block]) => block);
  test("has examples", () => {
    expect(blocks.length).toBeGreaterThan(0);
  });
  test.each(
    blocks.map((block) => [block.split("\n").find((line) => line !== "" && !line.startsWith("import")), block]),
  )("the example with `%s` runs", async (_, block) => {
    await run(block);
  });
  test("names only commands and files that there are", () => {
    const { scripts } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
      scripts: Record<string, string>;
    };
    for (const [, name] of text.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(name);
    for (const [, path] of text.matchAll(/\]\((?!http|#)([^)]+)\)/g))
      expect(existsSync(new URL(path, root)), path).toBe(true);
  });
});
