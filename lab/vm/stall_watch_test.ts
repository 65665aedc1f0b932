import assert from "node:assert/strict";
import { deaf, halted, History, interruptDue, type Sign, withStallWatch } from "./stall_watch.ts";
import { VmLostError } from "../error.ts";
import { FakeMonitor } from "../../tests/support/monitor.ts";
import type { VmRole } from "../layout.ts";
import type { LabAddress } from "../types.ts";

/** Recorded from QEMU 10.0.2, but for the registers that say nothing here. */
const REGISTERS = `
CPU#0
RAX=0000000000000000 RBX=0000000000000000 RCX=0000000000000000 RDX=0000000000000000
RIP=ffffffffb6b53c9f RFL=00000216 [----AP-] CPL=0 II=0 A20=1 SMM=0 HLT=1
CR0=80050033 CR2=000000000058a27d CR3=000000000332c000 CR4=00751ef0

CPU#1
RAX=0000000000000000 RBX=0000000068747541 RCX=0000000000000000 RDX=0000000069746e65
RIP=0000000000400116 RFL=00000202 [-------] CPL=3 II=0 A20=1 SMM=0 HLT=0
`.replaceAll("\n", "\r\n");
const LAPIC = `dumping local APIC state for CPU 0

LVT0\t 0x00010700 active-hi edge  masked                      ExtINT (vec 0)
LVTT\t 0x000000ec active-hi edge                 one-shot     Fixed  (vec 236)
Timer\t DCR=0x3 (divide by 16) initial_count = 246051 current_count = 0
ISR\t (none)
IRR\t (none)

APR 0x00 TPR 0x10 DFR 0x0f LDR 0x00 PPR 0x10
`.replaceAll("\n", "\r\n");

Deno.test("halted() finds the processors that wait for an interrupt", () => {
  assert.deepEqual(halted(REGISTERS), [0]);
  assert.deepEqual(halted(REGISTERS.replace("HLT=0", "HLT=1")), [0, 1]);
  const disabled = REGISTERS.replace("RFL=00000216", "RFL=00000016");
  assert.deepEqual(halted(disabled), [], "one that is taken offline halts for good");
  assert.deepEqual(halted("unknown command: 'info registers -a'"), []);
});

/** Recorded from a nested guest that stood still, QEMU 10.0.2; as above. */
const DEAF = `
CPU#0
RIP=ffffffffb8b53c9f RFL=00000202 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=1

CPU#1
RIP=ffffffffafa35f38 RFL=00000006 [-----P-] CPL=0 II=0 A20=1 SMM=0 HLT=0
`.replaceAll("\n", "\r\n");

Deno.test("deaf() finds the processors that run with interrupts off, and where", () => {
  const [[processor, sign] = [], ...more] = deaf(DEAF);
  assert.deepEqual([processor, more], [1, []]);
  const near = (at: string) => deaf(DEAF.replace("ffffffffafa35f38", at))[0]?.[1].what;
  assert.equal(near("ffffffffafa35f3c"), sign?.what, "the same loop");
  assert.notEqual(near("ffffffffafa36f38"), sign?.what);
  assert.deepEqual(deaf(DEAF.replace("HLT=0", "HLT=1")), [], "one that is taken offline");
  assert.deepEqual(deaf(REGISTERS), []);
});

Deno.test("interruptDue() tells a timer that has run out, and what is pending", () => {
  const due = interruptDue(LAPIC);
  assert.ok(due !== undefined);
  const later = LAPIC.replace("= 246051", "= 246052");
  assert.notEqual(
    interruptDue(later)?.what,
    due.what,
    "each time that a timer is set is one of its own",
  );
  assert.equal(interruptDue(LAPIC.replace("current_count = 0", "current_count = 7")), undefined);
  assert.equal(interruptDue(LAPIC.replace("246051", "0")), undefined, "the timer is stopped");
  const pending = LAPIC.replace("IRR\t (none)", "IRR\t 236 251 ").replace("246051", "0");
  assert.ok(interruptDue(pending) !== undefined);
  assert.equal(interruptDue(pending.replace("ISR\t (none)", "ISR\t 236 ")), undefined);
});

Deno.test("History.take() tells of a processor at which the same is seen often enough", () => {
  const history = new History();
  const sign = (what: string): Sign => ({ what, times: 5, means: (processor) => `${processor}` });
  const sees = (what: string) => history.take(new Map([[1, sign(what)]]));
  for (const what of ["a", "a", "a", "a", "b", "b", "b", "b"]) assert.equal(sees(what), undefined);
  assert.equal(history.take(new Map()), undefined);
  for (let i = 0; i < 4; i++) assert.equal(sees("b"), undefined);
  assert.equal(sees("b"), "1");
});

/** A VM whose processor 0 is forgotten, or does what is given, as its monitor shows it. */
function lostVm(
  accelerator: LabAddress["accelerator"],
  topology: LabAddress["topology"] = "loopback",
  registers = REGISTERS,
) {
  const lapic = registers === REGISTERS ? LAPIC : "";
  const monitor = new FakeMonitor(({ arguments: { "command-line": command } }) => [
    { return: command === "info lapic 0" ? lapic : registers },
  ]);
  const console = new URL("../../fixtures/consoles/timer-lost.log", import.meta.url).pathname;
  const vm = (name: VmRole) => ({ name, console, shell: "" });
  const address: LabAddress = {
    topology,
    kernel: "debian:latest",
    arch: "x86_64",
    accelerator,
    qemu: "",
    command: [],
    pid: 0,
    folder: monitor.path.replace(/\/monitor$/, ""),
    vms: topology === "loopback" ? [vm("loopback")] : [vm("host"), vm("guest")],
    agents: { host: 1, guest: 2 },
  };
  return { monitor, address };
}

/** Goes on until it is stopped, and ends as a run does then. */
async function untilStopped(stop: AbortSignal): Promise<string> {
  await new Promise((resolve) => stop.addEventListener("abort", resolve, { once: true }));
  return String(stop.reason);
}

Deno.test("withStallWatch() ends what runs on an emulated VM that lost an interrupt", async () => {
  const { monitor, address } = lostVm("tcg");
  using _ = monitor;
  let reason = "";
  const body = async (stop: AbortSignal) => reason = await untilStopped(stop);
  await assert.rejects(
    withStallWatch(address, new AbortController().signal, body, 5),
    (error) =>
      error instanceof VmLostError && /^QEMU lost an interrupt: processor 0 /.test(error.message) &&
      /run it again\nthe end of .*timer-lost.log:\n/.test(error.message) &&
      /timer wakeup didn't happen/.test(error.message),
  );
  assert.match(reason, /processor 0 .* run it again$/);
});

Deno.test("withStallWatch() ends what runs on a host whose guest stands still, and no loopback VM", async () => {
  for (const topology of ["guest-host", "loopback"] as const) {
    const { monitor, address } = lostVm("tcg", topology, DEAF);
    using _ = monitor;
    const stop = AbortSignal.timeout(topology === "loopback" ? 500 : 60_000);
    const ended = withStallWatch(address, stop, untilStopped, 5);
    if (topology === "loopback") {
      assert.match(await ended, /TimeoutError/);
      continue;
    }
    await assert.rejects(
      ended,
      (error) =>
        error instanceof VmLostError &&
        /^processor 1 of the VM makes no progress with interrupts off/.test(error.message),
    );
  }
});

Deno.test("withStallWatch() asks no monitor under KVM, and gives what its body gives", async () => {
  const { monitor, address } = lostVm("kvm");
  using _ = monitor;
  const stop = AbortSignal.timeout(200);
  assert.match(await withStallWatch(address, stop, untilStopped, 5), /TimeoutError/);
  assert.equal(monitor.connections, 0);
});

Deno.test("withStallWatch() lets a VM be that has no monitor any more", async () => {
  const { monitor, address } = lostVm("tcg");
  monitor[Symbol.dispose]();
  const stop = AbortSignal.timeout(200);
  assert.match(await withStallWatch(address, stop, untilStopped, 5), /TimeoutError/);
  const failed = withStallWatch(address, stop, () => Promise.reject(new Error("its own")), 5);
  await assert.rejects(failed, /^Error: its own$/);
});
