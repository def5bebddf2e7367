import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sha256 } from "./sha256.mjs";

test.each([0, 1, 3, 55, 56, 63, 64, 65, 119, 120, 1000])("sha256 of %i bytes is what Node computes", (length) => {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 197 + 31) % 256);
  expect(sha256(bytes)).toBe(createHash("sha256").update(bytes).digest("hex"));
});
