import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CategoryColumn, csv, dataset, type NumberColumn, type TextColumn } from "../../src/data/index.js";
import { FormatError } from "../../src/index.js";

const numbersOf = (text: string, name: string) => [...(csv(text).columns[name] as NumberColumn).values];

describe("fields", () => {
  test.each([
    ["LF", "a,b\n1,2\n3,4\n"],
    ["CR LF", "a,b\r\n1,2\r\n3,4\r\n"],
    ["CR", "a,b\r1,2\r3,4\r"],
    ["no end of the last line", "a,b\n1,2\n3,4"],
    ["empty lines", "\n\r\na,b\n\n1,2\n\n\n3,4\n\n"],
    ["quotes", '"a","b"\n"1","2"\n"3",4'],
    ["a byte order mark", "\ufeffa,b\n1,2\n3,4"],
    ["spaces around numbers", "a,b\n 1,2 \n3 , 4"],
  ])("with %s", (_, text) => {
    for (const source of [text, new TextEncoder().encode(text), new TextEncoder().encode(text).buffer as ArrayBuffer]) {
      expect(csv(source)).toEqual({
        names: ["a", "b"],
        rows: 2,
        columns: {
          a: { type: "number", values: Float64Array.of(1, 3) },
          b: { type: "number", values: Float64Array.of(2, 4) },
        },
      });
    }
  });

  test("quoted ones may hold delimiters, line ends and doubled quotes; spaces are kept", () => {
    const text = 'n,t\n1,"a, ""b""\r\nc"\n2," d"\n3,""""\n4,""\n';
    const { values } = csv(text, { types: { t: "text" } }).columns.t as TextColumn;
    expect(values).toEqual(['a, "b"\r\nc', " d", '"', ""]);
  });

  test("may be separated by another character", () => {
    expect(csv("a;b\n1,5;2", { delimiter: ";" }).columns.a).toMatchObject({ names: ["1,5"] });
    expect([...(csv("1 -2\n3 4", { delimiter: " " }).columns["1"] as NumberColumn).values]).toEqual([-2, 4]);
    expect(csv("a\tb\n\t1", { delimiter: "\t" }).names).toEqual(["a", "b"]);
  });

  test("are read back as they were written", () => {
    const field = fc.oneof(
      fc.string(),
      fc.constantFrom("", '"', ",", "\n", "\r\n", "\r", " ", "1", "a,b"),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 5 })
          .chain((n) => fc.array(fc.array(field, { minLength: n, maxLength: n }), { minLength: 1 })),
        fc.constantFrom(",", ";", "\t", " ", "|"),
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.boolean(),
        (rows, delimiter, end, quoteAll) => {
          const needs = (f: string) => quoteAll || f === "" || /["\r\n\ufeff]/.test(f) || f.includes(delimiter);
          const write = (f: string) => (needs(f) ? `"${f.replaceAll('"', '""')}"` : f);
          const text = rows.map((row) => row.map(write).join(delimiter) + end).join("");
          const names = rows[0].map((_, i) => `c${i}`);
          const types = Object.fromEntries(names.map((name) => [name, "text" as const]));
          const table = csv(text, { header: names, types, delimiter, missing: [] });
          const read = rows.map((_, i) => names.map((name) => (table.columns[name] as TextColumn).values[i]));
          expect(read).toEqual(rows);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("numbers", () => {
  test("are decimal, with sign and exponent", () => {
    const written = ["1", "-2.5", "+.5", "7.", "1e3", "3.807590643342410180e-02", "-0", "0.1"];
    expect(numbersOf(`x\n${written.join("\n")}`, "x")).toEqual([1, -2.5, 0.5, 7, 1000, 0.0380759064334241, -0, 0.1]);
  });

  test("are read back as they were written, to the last bit", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }), (list) => {
        expect(numbersOf(`x\n${list.join("\n")}\n`, "x")).toEqual(list.map((x) => (Object.is(x, -0) ? 0 : x)));
      }),
    );
  });

  test.each(["0x10", "1e999", "Infinity", "1,000", "1 2", "1_000", "--1", ".", "e5", "१"])("%s is none", (bad) => {
    const text = `x\n1\n2\n"${bad}"\n3`;
    expect(() => csv(text)).toThrow(`csv: line 4, column "x": expected a number, like most others here`);
    expect(csv(text, { types: { x: "category" } }).columns.x).toMatchObject({ type: "category" });
  });
});

describe("types", () => {
  test("are numbers where most fields are, else categories; missing values do not count", () => {
    const { columns } = csv("a,b,c,d\n1,x,?,\nNA,2,?,\n?,y,5,\n,3,null,\n");
    expect(columns.a).toEqual({ type: "number", values: Float64Array.of(1, NaN, NaN, NaN) });
    expect(columns.b).toEqual({ type: "category", values: Int32Array.of(2, 0, 3, 1), names: ["2", "3", "x", "y"] });
    expect(columns.c).toEqual({ type: "number", values: Float64Array.of(NaN, NaN, 5, NaN) });
    expect(columns.d).toEqual({ type: "number", values: new Float64Array(4).fill(NaN) });
  });

  test("of categories have their names in one order, whatever the order of lines", () => {
    const of = (list: string[]) =>
      (csv(`x\n${list.join("\n")}`, { types: { x: "category" } }).columns.x as CategoryColumn).names;
    expect(of(["b", "a", "C", "b"])).toEqual(["C", "a", "b"]);
    expect(of(["10", "9", "-1", "9"])).toEqual(["-1", "9", "10"]);
  });

  test("of categories can be given by their names, as another table has them", () => {
    const train = csv("sex,age\nM,1\nF,2\nI,3").columns.sex as CategoryColumn;
    expect(csv("sex,age\nI,1\nM,2", { types: { sex: train.names } }).columns.sex).toEqual({
      type: "category",
      values: Int32Array.of(1, 2),
      names: ["F", "I", "M"],
    });
    const other = () => csv("sex,age\nM,1\nX,2", { types: { sex: train.names } });
    expect(other).toThrow('csv: line 3, column "sex": expected one of F, I, M, got "X"');
  });

  test("missing values are what options.missing says", () => {
    const { columns } = csv("x,y\n-,NA\n1,b\n2,a", { missing: ["-"] });
    expect(columns.x).toEqual({ type: "number", values: Float64Array.of(NaN, 1, 2) });
    expect(columns.y).toMatchObject({ names: ["NA", "a", "b"] });
  });

  test("names of columns may be anything", () => {
    const { columns, names } = csv("__proto__,constructor,1e\n1,a,b");
    expect(names).toEqual(["__proto__", "constructor", "1e"]);
    expect(Object.getOwnPropertyDescriptor(columns, "__proto__")?.value).toEqual({
      type: "number",
      values: Float64Array.of(1),
    });
    expect((columns.constructor as unknown as CategoryColumn).names).toEqual(["a"]);
  });
});

describe("the header", () => {
  test("is the first line, unless a number is in it", () => {
    expect(csv("a,b\n1,2").names).toEqual(["a", "b"]);
    expect(csv("a,1\nb,2")).toMatchObject({ names: ["0", "1"], rows: 2 });
    expect(csv("a,1\nb,2", { header: true })).toMatchObject({ names: ["a", "1"], rows: 1 });
    expect(csv("a\nb", { header: false })).toMatchObject({ names: ["0"], rows: 2 });
    expect(csv("1,2\n3,4", { header: ["u", "v"] })).toMatchObject({ names: ["u", "v"], rows: 2 });
  });

  test("may come after other lines", () => {
    expect(csv('"not closed\n# b\na,b\n1,2', { skipLines: 2 })).toMatchObject({ names: ["a", "b"], rows: 1 });
    expect(() => csv("x\ny\na,b\n1", { skipLines: 2 })).toThrow("line 4:");
    expect(csv("a\n1", { skipLines: 9 })).toMatchObject({ names: [], rows: 0 });
  });

  test("of an empty file has no names", () => {
    for (const text of ["", "\n", "\ufeff"]) expect(csv(text)).toEqual({ names: [], rows: 0, columns: {} });
    expect(csv("a,b\n")).toMatchObject({ names: ["a", "b"], rows: 0 });
    expect(csv("", { header: ["a"] })).toMatchObject({ names: ["a"], rows: 0 });
  });
});

describe("x and y", () => {
  const text = "w,sex,age,rings\n0.5,M,1,9\n0.25,F,?,7\n,I,3,8\n";

  test("are the features as float32 and the target", () => {
    const { x, y, features, names } = csv(text, { target: "rings" });
    expect(features).toEqual(["w", "sex", "age"]);
    expect(names).toEqual(["w", "sex", "age", "rings"]);
    expect([x.shape, x.dtype, [...x.data]]).toEqual([[3, 3], "float32", [0.5, 2, 1, 0.25, 0, NaN, NaN, 1, 3]]);
    expect([y.shape, y.dtype, [...y.data]]).toEqual([[3, 1], "float32", [9, 7, 8]]);
  });

  test("have integers for a category as target", () => {
    const { y } = csv(text, { target: 1 });
    expect([y.shape, y.dtype, [...y.data]]).toEqual([[3], "int32", [2, 0, 1]]);
  });

  test("may have several targets, and chosen columns in a chosen order", () => {
    const { x, y, features } = csv(text, { columns: ["age", "sex"], target: ["rings", 0] });
    expect(features).toEqual(["age", "sex"]);
    expect([...x.data]).toEqual([1, 2, NaN, 0, 3, 1]);
    expect([y.shape, [...y.data]]).toEqual([
      [3, 2],
      [9, 0.5, 7, 0.25, 8, NaN],
    ]);
  });

  test("leave rows with missing values out on request, where they miss in a column that is read", () => {
    expect([...csv(text, { target: -1, dropMissing: true }).y.data]).toEqual([9]);
    expect([...csv(text, { columns: ["w"], target: -1, dropMissing: true }).y.data]).toEqual([9, 7]);
  });

  test("are a missing category as NaN in x and -1 in y, which no loss takes", () => {
    const { x, y } = csv("a,b\n?,u\nv,?\nw,u", { target: "b" });
    expect([[...x.data], [...y.data]]).toEqual([
      [NaN, 0, 1],
      [0, -1, 0],
    ]);
  });

  test("are examples of a dataset", async () => {
    for await (const { x, y } of dataset(csv(text, { target: "rings" })).batch(3))
      expect([x.shape, y.shape]).toEqual([
        [3, 3],
        [3, 1],
      ]);
  });
});

describe("what is refused", () => {
  test.each([
    ["a short line", "a,b\n1,2\n3\n", "csv: line 3: expected 2 fields, as in line 1, got 1"],
    ["a long line", "a,b\n\n1,2,3\n", "csv: line 3: expected 2 fields, as in line 1, got 3"],
    ["a delimiter at the end", "a,b\n1,2,\n", "csv: line 2: expected 2 fields, as in line 1, got 3"],
    ["a quote that does not close", 'a,b\n1,"2\n3,4\n', 'csv: line 2: expected a closing ", got the end of the text'],
    [
      "text after a quote",
      'a,b\n"1"x,2\n',
      'csv: line 2: expected "," or the end of the line after a quoted field, got "x"',
    ],
    [
      "a quote inside a field",
      'a,b\n1,2\n5" pipe,1',
      'csv: line 3: expected a field with " in quotes, and "" for each one in it, got "5\\""',
    ],
    ["a line after one of several", 'a,b\n"1\n\r\n\r",2\n3', "csv: line 6: expected 2 fields"],
    ["two columns of one name", "a,b,a\n1,2,3", 'csv: line 1: expected another name for each column, got two of "a"'],
  ])("%s", (_, text, message) => {
    expect(() => csv(text)).toThrow(FormatError);
    expect(() => csv(text)).toThrow(message);
  });

  test("a number that is none says line, column and what came", () => {
    expect(() => csv("a,b\n1,2\n3,4\n5,six", { types: { b: "number" } })).toThrow(
      expect.objectContaining({
        name: "FormatError",
        message: 'csv: line 4, column "b": expected a number, got "six"',
        layer: "b",
        op: "csv",
      }),
    );
    expect(() => csv(`a\n1\n2\n${"z".repeat(1e6)}`)).toThrow(/got "z{40}\.\.\."$/);
  });

  test("bytes that are not UTF-8", () => {
    expect(() => csv(new Uint8Array([0x61, 0xff, 0x0a]))).toThrow(FormatError);
  });

  test.each([
    ["an unknown target", { target: "z" }, 'csv: expected one of 2 columns: "a", "b", got "z"'],
    ["a position too far", { target: 2 }, "expected one of 2 columns"],
    ["a position too far from the end", { columns: [-3] }, "expected one of 2 columns"],
    ["an unknown column with a type", { types: { z: "number" } }, 'got "z"'],
    ["a long delimiter", { delimiter: "::" }, "delimiter to be one character"],
    ["a quote as delimiter", { delimiter: '"' }, "delimiter to be one character"],
    ["half a line", { skipLines: 0.5 }, "skipLines"],
    ["text as a feature", { target: "b", types: { a: "text" } }, "leave text out with options.columns, got text"],
    [
      "text as a target",
      { target: "b", types: { b: "text" } },
      "expected one category or only numbers as target, got text",
    ],
    ["two kinds of targets", { target: ["a", "b"], types: { a: "category" } }, "got category, number"],
    ["no targets", { target: [] }, "got none"],
  ] as const)("%s", (_, options, message) => {
    expect(() => csv("a,b\n1,2", options as never)).toThrow(message);
  });

  test.each([[5], [null], [{}], [["a"]]])("%j as a source", (source) => {
    expect(() => csv(source as never)).toThrow(TypeError);
  });
});

describe("whatever the text", () => {
  const spiky = fc
    .array(fc.constantFrom('"', ",", "\n", "\r", "a", "1", "", " ", "é", "\ufeff"), { maxLength: 200 })
    .map((parts) => parts.join(""));

  test("there is a table or a FormatError", () => {
    fc.assert(
      fc.property(fc.oneof(spiky, fc.string(), fc.uint8Array({ maxLength: 100 })), fc.boolean(), (source, target) => {
        try {
          const table = csv(source, target ? { target: 0, dropMissing: true } : {});
          for (const name of table.names) expect(table.columns[name].values).toHaveLength(table.rows);
        } catch (error) {
          const none = target && error instanceof RangeError && /one of 0 columns/.test(error.message);
          expect(none || error instanceof FormatError).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ["quotes", () => '"'.repeat(1e6)],
    ["delimiters", () => ",".repeat(1e6)],
    ["digits", () => `x\n1\n2\n${"1".repeat(1e6)}x`],
    ["dots", () => `x\n1\n2\n${".".repeat(1e6)}`],
    ["line ends", () => "\r\n".repeat(1e6)],
    ["one-letter names", () => Array.from({ length: 2e5 }, (_, i) => `c${i}`).join(",")],
  ])("a million %s take linear time", (_, make) => {
    try {
      csv(make());
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
    }
  });
});
