// Publishes one version after another into a folder until it is killed: each answers every request with its own number.
// node publisher.mjs <dist> <folder> <model> <versions>; prints the number of each version once it is current.
const [dist, folder, name, count] = process.argv.slice(2);
const { build, dense, input } = await import(`${dist}/index.js`);
const { folderStore, publish } = await import(`${dist}/serve.js`);

const x = input([4], { name: "x" });
const wide = dense(20_000, { name: "wide" })(x); // some bytes that writing takes a while for
const model = await build(x, dense(2, { name: "y" })(wide));
const { "y/kernel": kernel } = model.weights();
const store = folderStore(folder);
for (let i = 0; i < Number(count); i++) {
  const next = Number((await store.versions(name)).at(-1) ?? 0) + 1;
  model.setWeights({
    "y/kernel": { ...kernel, data: new Float32Array(kernel.data.length) },
    "y/bias": { data: new Float32Array([next, next]), shape: [2], dtype: "float32" },
  });
  try {
    const { version } = await publish(store, name, model);
    process.stdout.write(`${version}\n`);
  } catch (error) {
    process.stdout.write(`failed: ${error.message}\n`);
    process.exit(1);
  }
}
