// Deno and Bun, as npm installs them: main.mjs in a process of its own.
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { bundle, FOLDER, versionOf } from "./bundle.mjs";

const command = (name, title, args) => async (options) => {
  await bundle("main.mjs", { conditions: [name], platform: "node" });
  const binary = fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));
  const child = spawn(binary, [...args, "main.mjs", JSON.stringify(options)], {
    cwd: FOLDER,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, DENO_DIR: `${FOLDER}/.deno`, DENO_NO_UPDATE_CHECK: "1" },
  });
  const [output, code] = await Promise.all([text(child.stdout), new Promise((done) => child.on("close", done))]);
  if (code !== 0) throw new Error(`it ended with ${code}`);
  return [{ name, runtime: `${title} ${versionOf(name)}`, ...JSON.parse(output) }];
};

export const deno = command("deno", "Deno", ["run", "--no-remote", "--no-lock", "--allow-read=."]);
export const bun = command("bun", "Bun", ["--no-install"]);
