import assert from "node:assert/strict";
import { DEFAULT_KERNEL } from "../../lab/kernel/kernel.ts";
import { withCountingKernel } from "./coverage.ts";

Deno.test("--coverage takes the kernel that counts, unless the user chose another", () => {
  const kernelOf = (coverage: string | undefined, kernel: string) =>
    withCountingKernel({ coverage, kernel }).kernel;
  assert.equal(kernelOf("folder", DEFAULT_KERNEL), "coverage");
  assert.equal(kernelOf("folder", "./linux"), "./linux");
  assert.equal(kernelOf(undefined, DEFAULT_KERNEL), DEFAULT_KERNEL);
});

Deno.test("options that do not go with it are refused", () => {
  const kernel = DEFAULT_KERNEL;
  assert.throws(() => withCountingKernel({ kernel, coverageBase: "x" }), /give that, too/);
  assert.throws(() => withCountingKernel({ kernel, coverage: "x", jobs: 2 }), /leave --jobs out/);
});
