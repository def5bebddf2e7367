// Archives as tar programs write them, and as nobody should.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { untar } from "../../src/data/tar.js";
import { FormatError } from "../../src/errors.js";
import { header, pax, tar } from "./tars.js";

const texts = (bytes: Uint8Array) =>
  Object.fromEntries([...untar(bytes)].map(([path, content]) => [path, new TextDecoder().decode(content)]));

const long = `${"folder/".repeat(30)}file.png`; // 218 characters

test("files of every length, in folders, with names split in two", () => {
  const contents = [0, 1, 511, 512, 513, 1500].map((n) => "x".repeat(n));
  const archive = tar(
    { name: "a/", type: "5" },
    ...contents.map((content, i) => ({ name: `a/${i}`, content })),
    { name: "link", type: "2" },
    { name: "name.png", prefix: "in/a/prefix", content: "p" },
  );
  expect(texts(archive)).toEqual({
    ...Object.fromEntries(contents.map((content, i) => [`a/${i}`, content])),
    "in/a/prefix/name.png": "p",
  });
});

test("contents are where they lie in the archive, not copies", () => {
  const archive = tar({ name: "a", content: "one" });
  const [content] = untar(archive).values();
  expect(content.buffer).toBe(archive.buffer);
});

test("long names of GNU tar and of pax, for the next file alone", () => {
  const next = [
    { name: "short", content: "1" },
    { name: "other", content: "2" },
  ];
  const expected = { [long]: "1", other: "2" };
  expect(texts(tar({ name: "././@LongLink", type: "L", content: `${long}\0` }, ...next))).toEqual(expected);
  const records = pax("mtime", "1.5") + pax("path", long) + pax("comment", "é");
  expect(texts(tar({ name: "pax", type: "x", content: records }, ...next))).toEqual(expected);
  expect(texts(tar({ name: "pax", type: "g", content: pax("path", long) }, ...next))).toEqual({
    short: "1",
    other: "2",
  });
});

test("sizes in base 256, old archives without a type, the last of two files of one name", () => {
  const size = new Uint8Array(12);
  size.set([0x80], 0);
  size[11] = 3;
  expect(texts(tar({ name: "a", content: "one", size }, { name: "b", type: "\0", content: "2" }))).toEqual({
    a: "one",
    b: "2",
  });
  expect(texts(tar({ name: "a", content: "1" }, { name: "a", content: "2" }))).toEqual({ a: "2" });
  expect(texts(tar({ name: "a", content: "1" }).slice(0, 1024))).toEqual({ a: "1" }); // without the blocks of its end
});

test.each([["ustar"], ["gnu"], ["pax"]])("what the tar program writes as %s", (format) => {
  const folder = mkdtempSync(join(tmpdir(), "lanewise-tar-"));
  const path = format === "ustar" ? `${"f".repeat(90)}/${"g".repeat(90)}` : `${"f".repeat(120)}/${"g".repeat(120)}`;
  mkdirSync(join(folder, "data", path), { recursive: true });
  writeFileSync(join(folder, "data", path, "é.txt"), "here");
  execFileSync("tar", [`--format=${format}`, "-cf", join(folder, "a.tar"), "-C", folder, "data"]);
  expect(texts(readFileSync(join(folder, "a.tar")))).toEqual({ [`data/${path}/é.txt`]: "here" });
  rmSync(folder, { recursive: true });
});

const one = () => tar({ name: "a.png", content: "one" });
const changed = (at: number, byte: number) => one().map((b, i) => (i === at ? byte : b));

test.each([
  ["bytes that are no tar", new Uint8Array(600).fill(65), "tar: expected a tar header with a sound checksum at byte 0"],
  ["a changed name", changed(0, 98), "a sound checksum at byte 0"],
  ["the start of a header", one().slice(0, 300), "expected a header of 512 bytes at byte 0, got 300 bytes"],
  ["a file cut short", one().slice(0, 514), "expected a file of 3 bytes at byte 0, got 2 bytes"],
  [
    "a size beyond the file",
    tar({ name: "a", size: "77777777777\0" }),
    "a file of 8589934591 bytes at byte 0, got 1024",
  ],
  ["a size that is no number", tar({ name: "a", size: "12x\0" }), 'expected a file\'s size at byte 0, got "12x"'],
  [
    "a size of 95 bits",
    tar({ name: "a", size: new Uint8Array(12).fill(255).fill(128, 0, 1) }),
    "expected a file's size",
  ],
  ["a negative size", tar({ name: "a", size: new Uint8Array(12).fill(255) }), "expected a file's size"],
  ["pax records without lengths", tar({ name: "p", type: "x", content: "path=a\n" }), "pax records with their lengths"],
  ["a pax record of no length", tar({ name: "p", type: "x", content: "0 path=a\n" }), "pax records with their lengths"],
  [
    "a pax record beyond its end",
    tar({ name: "p", type: "x", content: "99 path=a\n" }),
    "pax records with their lengths",
  ],
  ["a size in a pax record", tar({ name: "p", type: "x", content: pax("size", "9") }), "a size in a pax record"],
] as const)("%s is refused", (_, bytes, told) => {
  expect(() => untar(bytes)).toThrow(FormatError);
  expect(() => untar(bytes)).toThrow(told);
});

/** Whatever it holds, reading ends: with files that lie within the bytes, or with an error that is ours. */
function holds(bytes: Uint8Array): void {
  try {
    for (const content of untar(bytes).values()) expect(content.length).toBeLessThanOrEqual(bytes.length);
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
  }
}

test("arbitrary bytes, and archives with arbitrary fields, never crash or hang", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), holds));
  const field = fc.uint8Array({ maxLength: 12 });
  const entry = fc.record({
    name: fc.string({ maxLength: 30 }),
    size: field,
    type: fc.constantFrom("0", "x", "L", "g", "5"),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 4 }), fc.uint8Array({ maxLength: 600 }), (entries, rest) => {
      holds(new Uint8Array(Buffer.concat([...entries.map(header), rest])));
    }),
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (content) => holds(tar({ name: "p", type: "x", content }))));
});
