import assert from "node:assert/strict";
import { MARKS } from "./layout.ts";
import { guestEnd, qemuEnd } from "./vm/qemu_end.ts";

Deno.test("qemuEnd() names the signal that a shell's status stands for, and quotes the last words", () => {
  assert.deepEqual(qemuEnd("QEMU", 139, ""), {
    text: "QEMU ended (signal SIGSEGV)",
    isFault: true,
  });
  assert.deepEqual(qemuEnd("QEMU", 134, "x.c:1: f: Assertion `a' failed.\n"), {
    text: "QEMU ended (signal SIGABRT): x.c:1: f: Assertion `a' failed.",
    isFault: true,
  });
  assert.deepEqual(qemuEnd("QEMU", 0, ""), { text: "QEMU ended (exit code 0)", isFault: false });
  assert.equal(qemuEnd("QEMU", 1, "").isFault, true);
});

Deno.test("guestEnd() finds the status and the words of the guest's QEMU in its host's console", () => {
  const console = [
    "agent: 10.0.2.2:1 connected",
    "qemu-system-x86_64: ../hw/virtio/virtio.c:12: f: Assertion `n' failed.",
    `${MARKS.guestEnded} (134)`,
    "agent: later",
  ].join("\r\n");
  assert.deepEqual(guestEnd(console), {
    text: "the guest's QEMU ended (signal SIGABRT): " +
      "qemu-system-x86_64: ../hw/virtio/virtio.c:12: f: Assertion `n' failed.",
    isFault: true,
  });
  assert.deepEqual(guestEnd(`x\n${MARKS.guestEnded} (0)\n`), {
    text: "the guest's QEMU ended (exit code 0)",
    isFault: false,
  });
  assert.deepEqual(guestEnd(`${MARKS.guestStuck}. Suberror: 3\n`), {
    text: `the guest's QEMU: ${MARKS.guestStuck}. Suberror: 3`,
    isFault: true,
  });
});
