import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/kernels.setup.ts", // tests import src/, which needs the compiled kernels
    testTimeout: 60_000,
  },
});
