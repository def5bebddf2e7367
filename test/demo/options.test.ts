import { expect, test } from "vitest";
import { parseOptions, UsageError } from "../../examples/demo/options.mjs";

const flags = { quick: false, json: false, help: false };

test("without arguments the demo has its defaults", () => {
  expect(parseOptions([])).toEqual({ data: undefined, epochs: 5, seed: 1, out: "out", ...flags });
});

test("every option can be given", () => {
  const given = ["--data", "x", "--epochs", "3", "--seed=7", "--out", "y", "--json", "-h"];
  expect(parseOptions(given)).toEqual({
    data: "x",
    epochs: 3,
    seed: 7,
    out: "y",
    quick: false,
    json: true,
    help: true,
  });
  expect(parseOptions(["--quick"])).toMatchObject({ epochs: 1, quick: true });
});

test.each([
  [["--epochs", "0"], '--epochs: expected a whole number from 1 to 10000, got "0"'],
  [["--epochs", "1.5"], '--epochs: expected a whole number from 1 to 10000, got "1.5"'],
  [["--seed", "x"], '--seed: expected a whole number from 0 to 4294967295, got "x"'],
  [["--seed=-1"], '--seed: expected a whole number from 0 to 4294967295, got "-1"'],
  [["--speed"], "Unknown option '--speed'"],
  [["mnist"], "Unexpected argument 'mnist'"],
  [["--data"], "Option '--data <value>' argument missing"],
])("arguments %j are refused in one line", (args, message) => {
  expect(() => parseOptions(args)).toThrow(UsageError);
  expect(() => parseOptions(args)).toThrow(message);
  expect(() => parseOptions(args)).not.toThrow(/\n/);
});
