import assert from "node:assert/strict";
import { screenOf } from "../report/terminal.ts";
import { LabError } from "./error.ts";
import { Progress } from "./progress.ts";
import { requireTools } from "./tools.ts";

for (
  const [qemu, reason] of [
    ["/nowhere/qemu-system-x86_64", /^There is no QEMU at \/nowhere\/qemu-system-x86_64: /],
    ["/bin/true", /^\/bin\/true does not call itself a QEMU: give a qemu-system-x86_64$/],
    ["/etc/passwd", /^\/etc\/passwd does not call itself a QEMU/],
  ] as const
) {
  Deno.test(`requireTools() refuses ${qemu} as a QEMU`, async () => {
    const found = requireTools(new Progress(screenOf(Deno.stderr)), qemu);
    await assert.rejects(found, (error: unknown) => {
      assert.ok(error instanceof LabError);
      assert.match(error.message, reason);
      return true;
    });
  });
}
