// @ts-check
// What the report draws of a training, kept by a callback.

/**
 * A callback for `fit` that keeps what the report draws: loss and accuracy of every step, and how long it all took.
 * @param {number} samples in an epoch
 * @param {number} batchSize
 */
export function recorder(samples, batchSize) {
  const loss = /** @type {{ x: number, y: number }[]} */ ([]);
  const accuracy = /** @type {{ x: number, y: number }[]} */ ([]);
  const seconds = /** @type {number[]} */ ([]);
  let [timed, time, last, right] = [0, 0, 0, 0];
  return {
    train: { loss, accuracy },
    seconds,
    stepsPerSecond: () => (1000 * timed) / time,
    /** @param {import("lanewise/train").FitStep} at */
    onTrainBatchEnd({ epoch, step, steps = step, loss: lossNow, logs }) {
      const now = performance.now();
      if (step > 1) {
        timed++;
        time += now - last;
      }
      last = now;
      const x = epoch - 1 + step / steps;
      loss.push({ x, y: lossNow });
      // logs hold the average of the epoch so far: what this step added to it is its own.
      const seen = Math.min(step * batchSize, samples);
      const before = step === 1 ? 0 : right;
      right = Math.round(logs.accuracy * seen);
      accuracy.push({ x, y: (right - before) / (seen - (step - 1) * batchSize) });
    },
    /** @param {import("lanewise/train").FitEpoch} at */
    onEpochEnd: (at) => void seconds.push(at.seconds),
  };
}
