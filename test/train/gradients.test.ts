import { describe, expect, test } from "vitest";
import { build, dense, dropout, input, mul, sequential, sum, type Tensor, tensor } from "../../src/index.js";
import { gradients } from "../../src/train/index.js";

const model = () =>
  build(
    input([3], { name: "x" }),
    sequential(dense(4, { activation: "tanh", name: "a" }), dropout(0.5), dense(2, { name: "b" })),
    { seed: 2 },
  );
const x = tensor([
  [0.1, -0.4, 0.7],
  [0.3, 0.2, -0.5],
]);

describe("gradients", () => {
  test("with respect to weights and inputs agree with differences of predictions", async () => {
    const m = await model();
    const of = (outputs: Parameters<typeof sum>[0][]) => sum(mul(outputs[0], outputs[0]));
    const names = ["x", "a/kernel", "b/bias"];
    const found = gradients(m, { of, wrt: names })(x);
    const value = (at: Tensor) => Array.from((m.predict(at) as Tensor).data).reduce((s, y) => s + y * y, 0);
    const h = 1e-2;
    const weights = m.weights();
    for (const name of names) {
      const given = name === "x" ? x : weights[name];
      expect(found[name].shape).toEqual(given.shape);
      given.data.forEach((v, i) => {
        const moved = (by: number) => {
          const data = given.data.slice() as Float32Array;
          data[i] = v + by;
          const changed = tensor(data, given.shape);
          if (name === "x") return value(changed);
          m.setWeights({ [name]: changed });
          const result = value(x);
          m.setWeights({ [name]: given });
          return result;
        };
        expect(found[name].data[i], `${name}[${i}]`).toBeCloseTo((moved(h) - moved(-h)) / (2 * h), 3);
      });
    }
  });

  test("of an output by name are those of the sum of its elements, for any batch size", async () => {
    const m = await model();
    const gradient = gradients(m, { of: "b", wrt: ["b/bias", "x"] });
    expect([...gradient(x)["b/bias"].data]).toEqual([2, 2]);
    const one = gradient(tensor([[0.1, -0.4, 0.7]]));
    expect([...one["b/bias"].data]).toEqual([1, 1]);
    expect([...one.x.data]).toEqual([...gradient(x).x.data.slice(0, 3)]);
  });

  test("are zeros where nothing flows", async () => {
    const [p, q] = [input([2], { name: "p" }), input([2], { name: "q" })];
    const m = await build([p, q], [dense(1, { name: "left" })(p), dense(1, { name: "right" })(q)]);
    const found = gradients(m, { of: "left", wrt: ["q", "right/kernel"] })([tensor([[1, 2]]), tensor([[3, 4]])]);
    expect([...found.q.data, ...found["right/kernel"].data]).toEqual([0, 0, 0, 0]);
  });

  test("leave the weights alone and use no more memory from call to call", async () => {
    const m = await model();
    const before = m.weights();
    const gradient = gradients(m, { of: "b", wrt: ["x"] });
    for (let batch = 1; batch < 9; batch++) gradient(tensor(new Float32Array(3 * batch), [batch, 3]));
    const { memory } = m.plan();
    for (let batch = 1; batch < 9; batch++) gradient(tensor(new Float32Array(3 * batch), [batch, 3]));
    expect(m.plan().memory).toBe(memory);
    expect(m.weights()).toEqual(before);
  });

  test("refuse names that there are not", async () => {
    const m = await model();
    expect(() => gradients(m, { of: "b", wrt: ["c"] })).toThrow('got "c"');
    expect(() => gradients(m, { of: "c", wrt: ["x"] })).toThrow('gradients: expected outputs of b, got "c"');
    expect(() => gradients(m, { of: "b", wrt: ["x"] })(tensor([[1, 2]]))).toThrow('gradients "x"');
  });
});
