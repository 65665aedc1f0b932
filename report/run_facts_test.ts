import assert from "node:assert/strict";
import { againText, factList, shellText, warningsOf } from "./run_facts.ts";

const END = { name: "guest", kernel: "6.12", machine: "x86_64", version: "0" };

Deno.test("warningsOf() says what the letters of a taint mean, and what the log held", () => {
  assert.deepEqual(warningsOf([END, { ...END, taint: 0 }]), []);
  const [taint = "", ...rest] = warningsOf([
    { ...END, taint: 2 ** 7 + 2 ** 9, faultsBefore: [["BUG: x", "Call Trace:"], ["WARNING: y"]] },
  ]);
  assert.match(taint, /^guest: its kernel was tainted before the run: D \(.*\), W \(.*\)$/);
  assert.deepEqual(rest, [
    "guest: before the first case its kernel had reported: BUG: x",
    "| Call Trace:",
    "guest: before the first case its kernel had reported: WARNING: y",
  ]);
});

Deno.test("factList() names each fact once, and only what is known", () => {
  assert.deepEqual(factList({ ends: [END] }), []);
  const vm = { name: "guest", console: "/x", command: ["qemu", "-append", "a b"] };
  const facts = factList({
    tool: "1",
    lab: { kernel: "debian:6.12", vms: [vm] },
    ends: [{ ...END, uname: "Linux", taint: 0 }, { ...END, name: "host", taint: 512 }],
  });
  assert.deepEqual(facts, [
    ["tool", "vsock-conformance 1"],
    ["lab.kernel", "debian:6.12"],
    ["guest.vm.command", "qemu -append 'a b'"],
    ["guest.vm.console", "/x"],
    ["guest.uname", "Linux"],
    ["guest.tainted", "no"],
  ]);
});

Deno.test("againText() runs one case as it ran here", () => {
  const report = { again: ["lab", "--kernel", "./a b"], seed: 7 };
  assert.equal(
    againText(report, { id: "stream/close/x", direction: "guest-server" }),
    "vsock-conformance lab --kernel './a b' --direction guest-server --seed 7 stream/close/x",
  );
  assert.equal(
    againText(report, { id: "stream/close/x", direction: "loopback", seed: 9 }),
    "vsock-conformance lab --kernel './a b' --seed 9 stream/close/x",
  );
  assert.equal(againText({ seed: 7 }, { id: "a/b/c", direction: "loopback" }), undefined);
  const look = { id: "side-by-side/leaks/nothing-left", direction: "loopback" } as const;
  assert.equal(againText(report, look), undefined, "no selector chooses it");
});

Deno.test("shellText() is taken by a shell as it was", async () => {
  const words = ["a", "it's", '$HOME `x` "y"', "", "!x", "**", "a\nb", "\\", "#"];
  const { stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", `printf '%s\\0' ${shellText(words)}`],
  }).output();
  assert.deepEqual(new TextDecoder().decode(stdout).split("\0").slice(0, -1), words);
});
