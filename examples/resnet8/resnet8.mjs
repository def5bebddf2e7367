// @ts-check
// `npm run example:resnet8`: ResNet-8 on CIFAR-10 from JPEG files, with augmentation; without files, on patterns drawn here. The network
// is in model.mjs, the data in samples.mjs; README.md has the result.

import { readFile, writeFile } from "node:fs/promises";
import { build, load, save } from "lanewise";
import { cosineDecay, evaluate, fit, sgd } from "lanewise/train";
import { parameters } from "../common/example.mjs";
import { parse, UsageError, whole, wholeSeed } from "../common/options.mjs";
import { resnet8 } from "./model.mjs";
import { drawn, stored } from "./samples.mjs";

const usage = `Usage: npm run example:resnet8 -- [options]

Trains ResNet-8, MLPerf Tiny's image classifier, with images mirrored and moved at random.

  --data DIR     train on DIR/train.tar.gz, test on DIR/test-a.tar.gz or DIR/test.tar.gz: JPEG files in a folder for each class;
                 without it on patterns drawn by the program itself
  --epochs N     times to go through the training set (default 40 with --data, else 8; with --quick 4)
  --seed N       everything random follows from it (default 1)
  --rate R       the highest learning rate (default 0.1)
  --from FILE    go on with the weights of a model saved before, instead of new ones
  --out FILE     save the model there, as safetensors
  --quick        a small run of seconds, to see that it works: 512 images to train on, 200 to test
  --json         print the results as one line of JSON on standard output, progress on standard error
  --help         print this`;

async function main() {
  const options = optionsOf(process.argv.slice(2));
  if (options.help) return console.log(usage);
  const { data, seed, quick, epochs, rate, from } = options;
  const counts = quick ? { train: 512, test: 200 } : { train: 4000, test: 1000 };
  const batchSize = quick ? 32 : 64;
  const sets = data === undefined ? drawn(seed, counts) : await stored(data);
  const [train, test] = [sets.train.shuffle(seed), sets.test.shuffle(seed)].map((all, i) =>
    quick ? all.take([counts.train, counts.test][i]) : all,
  );
  const samples = /** @type {number} */ (train.size);
  console.error(`${samples} ${sets.kind} to train on, ${test.size} to test`);

  const [image, scores] = resnet8(sets.classNames.length);
  const model = await build(image, scores, { seed, name: "resnet8" });
  if (from !== undefined) model.setWeights((await saved(from)).weights());

  // The rate rises for a tenth of the steps, then falls along a cosine to nothing.
  const steps = epochs * Math.ceil(samples / batchSize);
  const warmupSteps = Math.floor(steps / 10);
  const learningRate = cosineDecay(0, steps - warmupSteps, { warmupTarget: rate, warmupSteps });
  /** @type {import("lanewise/train").EvaluateOptions} */
  const judged = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"], batchSize };

  // The test images are looked at after every epoch to show how the accuracy grows; nothing is chosen by them.
  const start = performance.now();
  const epochSeconds = /** @type {number[]} */ ([]);
  const accuracyOverTime =
    /** @type {{ epoch: number, loss: number, trainAccuracy: number, testAccuracy: number }[]} */ ([]);
  await fit(model, train, {
    ...judged,
    optimizer: sgd({ learningRate, momentum: 0.9, nesterov: true }),
    epochs,
    seed,
    validation: test,
    callbacks: [
      {
        onEpochEnd({ epoch, logs }) {
          const [loss, trained, tested] = [logs.loss, logs.accuracy, logs.val_accuracy].map(round);
          accuracyOverTime.push({ epoch, loss, trainAccuracy: trained, testAccuracy: tested });
          const seconds = Math.round((performance.now() - start) / 100) / 10;
          epochSeconds.push(seconds);
          console.error(
            `epoch ${epoch}/${epochs}  ${seconds} s  loss ${loss}  accuracy ${trained}  on the test set ${tested}`,
          );
        },
      },
    ],
  });
  const tested = await evaluate(model, test, judged);
  const file = save(model);
  if (options.out !== undefined) await writeFile(options.out, file);

  const results = {
    testAccuracy: tested.accuracy,
    testLoss: tested.loss,
    accuracyOverTime,
    setting: {
      images: sets.kind,
      trainSamples: samples,
      testSamples: /** @type {number} */ (test.size),
      classes: sets.classNames.length,
      optimizer: "sgd, momentum 0.9, nesterov",
      learningRate: `0 to ${rate} over ${warmupSteps} steps, then a cosine to 0 over ${steps - warmupSteps}`,
      regularization: "l2 1e-4 on the convolutions' kernels",
      augmentation: "mirrored or not, moved by up to 4 pixels, reflected beyond the border",
      batchSize,
      epochs,
      from: from ?? null,
      threads: 1,
    },
    parameters: parameters(model),
    fileBytes: file.length,
    data: data ?? null,
    seed,
    quick,
    times: { epochSeconds },
  };
  if (options.json) console.log(JSON.stringify(results));
  else console.log(`Accuracy on the test set: ${(100 * tested.accuracy).toFixed(2)} % after ${epochSeconds.at(-1)} s`);
}

/** @param {number} x */
const round = (x) => Math.round(x * 1e4) / 1e4;

/** @param {string} path @throws {UsageError} when there is no such model */
async function saved(path) {
  try {
    return await load(await readFile(path));
  } catch (error) {
    throw new UsageError(`${path}: ${/** @type {Error} */ (error).message}`);
  }
}

/** @param {string[]} args */
function optionsOf(args) {
  const { epochs, seed, rate, ...others } = parse(args, {
    data: { type: "string" },
    epochs: { type: "string" },
    rate: { type: "string", default: "0.1" },
    from: { type: "string" },
    seed: { type: "string", default: "1" },
    out: { type: "string" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  });
  const usual = others.quick ? "4" : others.data === undefined ? "8" : "40";
  if (!(Number(rate) > 0 && Number(rate) <= 10))
    throw new UsageError(`--rate: expected a number in (0, 10], got "${rate}"`);
  return {
    ...others,
    rate: Number(rate),
    epochs: whole("--epochs", epochs ?? usual, 1, 10_000),
    seed: wholeSeed(seed),
  };
}

main().catch((error) => {
  if (!(error instanceof UsageError)) throw error;
  console.error(`resnet8: ${error.message}`);
  process.exitCode = 2;
});
