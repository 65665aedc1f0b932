import assert from "node:assert/strict";
import { ConsoleWatch, explainConsoles, isStalled } from "./consoles.ts";

const PANIC = await Deno.readTextFile(
  new URL("../../fixtures/consoles/panic.log", import.meta.url),
);

Deno.test("ConsoleWatch.postMortem() tells what a kernel died of since, and which", async () => {
  const [host, guest] = [await Deno.makeTempFile(), await Deno.makeTempFile()];
  try {
    await Deno.writeTextFile(host, "[    1.000000] BUG: an earlier one\n");
    const watch = await ConsoleWatch.begin({
      vms: [{ name: "host", console: host, shell: "" }, {
        name: "guest",
        console: guest,
        shell: "",
      }],
    });
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

Deno.test("isStalled() needs to be told twice of one grace period", () => {
  const said = (time: string, t: number, g: number) =>
    `[  ${time}] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\r
[  ${time}] rcu: \t0-....: (40 ticks this GP) idle=a6d4/1/0x4000000000000000 softirq=6864/6866\r
[  ${time}] rcu: \t(detected by 1, t=${t} jiffies, g=${g}, q=11 ncpus=2)\r
`;
  const first = said("337.365090", 5256, 12801);
  assert.equal(isStalled(first), false);
  assert.equal(isStalled(first + said("400.388716", 5256, 12809)), false);
  assert.equal(isStalled(first + said("400.388716", 21012, 12801)), true);
});
