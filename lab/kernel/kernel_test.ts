import assert from "node:assert/strict";
import { LabError } from "../error.ts";
import { requireChoice } from "./kernel.ts";

for (const kernel of ["debian:6.12", "multi-device", "debug", "debug:accept-queue"]) {
  Deno.test(`requireChoice() refuses modules with ${kernel}, which has its own`, async () => {
    const found = requireChoice({ kernel, modules: "/nowhere" });
    await assert.rejects(found, (error: unknown) => {
      assert.ok(error instanceof LabError);
      assert.match(error.message, /has its own modules: leave --modules out, or give the /);
      assert.ok(error.message.includes(`"${kernel}"`));
      return true;
    });
  });
}

for (
  const [kernel, advice] of [
    ["/nowhere/vmlinuz", /is not from an archive: leave --refresh out/],
    ["debug", /is not from an archive: lab build-kernel debug --refresh/],
  ] as const
) {
  Deno.test(`requireChoice() refuses to look for a newer ${kernel}`, async () => {
    await assert.rejects(requireChoice({ kernel, refresh: true }), (error: unknown) => {
      assert.ok(error instanceof LabError);
      assert.match(error.message, advice);
      return true;
    });
  });
}
