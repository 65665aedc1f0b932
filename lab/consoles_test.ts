import assert from "node:assert/strict";
import { ConsoleWatch, explainConsoles } from "./consoles.ts";

const PANIC = await Deno.readTextFile(
  new URL("../fixtures/consoles/panic.log", import.meta.url),
);

Deno.test("ConsoleWatch.postMortem() tells what a kernel died of since, and which", async () => {
  const [host, guest] = [await Deno.makeTempFile(), await Deno.makeTempFile()];
  try {
    await Deno.writeTextFile(host, "[    1.000000] BUG: an earlier one\n");
    const watch = await ConsoleWatch.begin({ topology: "guest-host", consoles: [host, guest] });
    assert.deepEqual(await watch.postMortem(), []);
    await Deno.writeTextFile(guest, PANIC.replaceAll("\n", "\r\n"), { append: true });
    const [first, second, ...others] = await watch.postMortem();
    assert.equal(
      first,
      "guest: its kernel reported: Kernel panic - not syncing: sysrq triggered crash",
    );
    assert.match(second ?? "", /^\| Kernel Offset: /);
    assert.deepEqual(others, ["| "]);
    const shown = await explainConsoles("it was lost", [host, guest, "/nonexistent"]);
    assert.match(shown, /^it was lost\nthe end of .*\n {2}\| .*an earlier one\nthe end of/);
  } finally {
    for (const path of [host, guest]) await Deno.remove(path);
  }
});
