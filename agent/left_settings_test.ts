import assert from "node:assert/strict";
import { setBack, settingsNow } from "./left_settings.ts";

/** Settings that are none of this machine's. */
function fake(values: Record<string, string>, writable = true) {
  return {
    values,
    get: (name: string) => values[name],
    set: (name: string, value: string) => {
      if (!writable) throw new Error("EACCES");
      values[name] = value;
    },
  };
}

Deno.test("setBack() sets back what a process left changed, and nothing else", () => {
  const machine = fake({ g2h_fallback: "1", ns_mode: "global" });
  const before = settingsNow(machine);
  assert.deepEqual(before, { g2h_fallback: "1", ns_mode: "global" });
  machine.values.g2h_fallback = "0";
  assert.deepEqual(setBack(before, machine), [
    "net.vsock.g2h_fallback was left at 0, set back to 1",
  ]);
  assert.deepEqual(machine.values, { g2h_fallback: "1", ns_mode: "global" });
  assert.deepEqual(setBack(before, machine), []);
});

Deno.test("setBack() says what it cannot set back, and leaves alone what it does not know", () => {
  const machine = fake({ g2h_fallback: "0", child_ns_mode: "local" }, false);
  assert.deepEqual(setBack({ g2h_fallback: "1", ns_mode: "global" }, machine), [
    "net.vsock.g2h_fallback was left at 0, and cannot be set back to 1: EACCES",
  ]);
});
