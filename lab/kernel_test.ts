import assert from "node:assert/strict";
import { screenOf } from "../report/terminal.ts";
import { LabError } from "./error.ts";
import { findKernel } from "./kernel.ts";
import { Progress } from "./progress.ts";

for (const kernel of ["debian:6.12", "multi-device", "debug", "debug:accept-queue"]) {
  Deno.test(`findKernel() refuses modules with ${kernel}, which has its own`, async () => {
    const found = findKernel({ kernel, modules: "/nowhere" }, new Progress(screenOf(Deno.stderr)));
    await assert.rejects(found, (error: unknown) => {
      assert.ok(error instanceof LabError);
      assert.match(error.message, /brings its own modules: leave --modules out, or name the /);
      assert.ok(error.message.includes(`"${kernel}"`));
      return true;
    });
  });
}

for (
  const [kernel, advice] of [
    ["/nowhere/vmlinuz", /comes from no archive: leave --refresh out/],
    ["debug", /comes from no archive: lab kernel build --debug --refresh/],
  ] as const
) {
  Deno.test(`findKernel() refuses to look for a newer ${kernel}`, async () => {
    const progress = new Progress(screenOf(Deno.stderr));
    await assert.rejects(findKernel({ kernel, refresh: true }, progress), (error: unknown) => {
      assert.ok(error instanceof LabError);
      assert.match(error.message, advice);
      return true;
    });
  });
}
