import assert from "node:assert/strict";
import { Tool } from "./tool.ts";

Deno.test("says() fails as soon as the tool has ended without saying it", async () => {
  const started = performance.now();
  await using tool = new Tool(["no-such-command"], { patience: 600_000 });
  await assert.rejects(tool.says(/this it never says/), (error: unknown) => {
    assert.match(String(error), /it did not say .*: [^]*no-such-command/);
    return true;
  });
  assert.ok(performance.now() - started < 60_000);
});

Deno.test("ended() fails where a process outlives the tool and holds its output", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  try {
    const through = `${folder}/leaves`;
    await Deno.writeTextFile(through, "#!/bin/sh\nsleep 8 &\nexec true\n", { mode: 0o755 });
    await using tool = new Tool([], { through, patience: 3000 });
    await assert.rejects(tool.ended(), /it left a process/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
