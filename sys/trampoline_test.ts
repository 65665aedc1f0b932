import assert from "node:assert/strict";
import { assemble, FRAME } from "./trampoline.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_EXEC, PROT_READ, PROT_WRITE } from "./constants.ts";
import { addressOf, call, callWide } from "./libc.ts";

const ADDRESSES = {
  errnoLocation: 0x1234_5678_9000n,
  clockGettime: 0x5abc_def1_2000n,
  signalCounts: 0x7fed_cba9_8765_4321n,
};

/** The code for aarch64 as objdump shows it; executed under qemu-user when it was written down. */
const AARCH64 = `
  a9be7bfd  stp   x29, x30, [sp, #-32]!
  910003fd  mov   x29, sp
  f9000bf3  str   x19, [sp, #16]
  aa0003f3  mov   x19, x0
  d2801648  mov   x8, #0xb2               // __NR_gettid
  d4000001  svc   #0x0
  b9000260  str   w0, [x19]               // frame.tid
  d2800020  mov   x0, #0x1                // CLOCK_MONOTONIC
  91002261  add   x1, x19, #0x8           // frame.enter
  d2840010  mov   x16, #0x2000            // clock_gettime
  f2bbde30  movk  x16, #0xdef1, lsl #16
  f2cb5790  movk  x16, #0x5abc, lsl #32
  f2e00010  movk  x16, #0x0, lsl #48
  d63f0200  blr   x16
  f9401a60  ldr   x0, [x19, #48]          // frame.args
  f9401e61  ldr   x1, [x19, #56]
  f9402262  ldr   x2, [x19, #64]
  f9402663  ldr   x3, [x19, #72]
  f9402a64  ldr   x4, [x19, #80]
  f9402e65  ldr   x5, [x19, #88]
  f9401670  ldr   x16, [x19, #40]         // frame.fn
  d63f0200  blr   x16
  f9003260  str   x0, [x19, #96]          // frame.result
  3100041f  cmn   w0, #0x1
  54000121  b.ne  0x84
  d2920010  mov   x16, #0x9000            // __errno_location
  f2aacf10  movk  x16, #0x5678, lsl #16
  f2c24690  movk  x16, #0x1234, lsl #32
  f2e00010  movk  x16, #0x0, lsl #48
  d63f0200  blr   x16
  b9800000  ldrsw x0, [x0]
  cb0003e0  neg   x0, x0
  f9003260  str   x0, [x19, #96]
  d2800020  mov   x0, #0x1                // 0x84
  91006261  add   x1, x19, #0x18          // frame.leave
  d2840010  mov   x16, #0x2000
  f2bbde30  movk  x16, #0xdef1, lsl #16
  f2cb5790  movk  x16, #0x5abc, lsl #32
  f2e00010  movk  x16, #0x0, lsl #48
  d63f0200  blr   x16
  b900027f  str   wzr, [x19]
  f9403260  ldr   x0, [x19, #96]
  f9400bf3  ldr   x19, [sp, #16]
  a8c27bfd  ldp   x29, x30, [sp], #32
  d65f03c0  ret
`;

/** The signal handler for aarch64, likewise. */
const AARCH64_HANDLER = `
  d2886421  mov   x1, #0x4321             // signalCounts
  f2b0eca1  movk  x1, #0x8765, lsl #16
  f2d97521  movk  x1, #0xcba9, lsl #32
  f2effda1  movk  x1, #0x7fed, lsl #48
  8b20c821  add   x1, x1, w0, sxtw #2
  885f7c22  ldxr  w2, [x1]                // again:
  11000442  add   w2, w2, #0x1
  88037c22  stxr  w3, w2, [x1]
  35ffffa3  cbnz  w3, again
  d65f03c0  ret
`;

/** The first column of a disassembly. */
function wordsOf(disassembly: string): string[] {
  return disassembly.trim().split("\n").map((line) => line.trim().slice(0, 8));
}

Deno.test("assemble() writes for aarch64 the instructions that were disassembled", () => {
  const { bytes, invoke, handler } = assemble("aarch64", ADDRESSES);
  const expected = wordsOf(AARCH64);
  const words = [...new Uint32Array(bytes.buffer)].map((w) => w.toString(16).padStart(8, "0"));
  assert.equal(invoke, 0);
  assert.deepEqual(words.slice(0, expected.length), expected);
  assert.equal(handler % 16, 0);
  assert.ok(handler >= 4 * expected.length);
  assert.deepEqual(words.slice(handler / 4), wordsOf(AARCH64_HANDLER));
});

Deno.test("assemble() places the handler behind the code for x86_64", () => {
  const { bytes, invoke, handler } = assemble("x86_64", ADDRESSES);
  assert.equal(invoke, 0);
  assert.equal(handler % 16, 0);
  const handlerBytes = [...bytes.slice(handler)];
  assert.deepEqual(handlerBytes.slice(0, 5), [0x48, 0x63, 0xc7, 0x48, 0xb9], "movsxd, mov rcx");
  assert.equal(new DataView(bytes.buffer).getBigUint64(handler + 5, true), ADDRESSES.signalCounts);
  assert.deepEqual(handlerBytes.slice(13), [0xf0, 0xff, 0x04, 0x81, 0xc3], "lock inc, ret");
  assert.ok(bytes.slice(0, handler).includes(0xc3), "the code itself returns before it");
});

Deno.test("assemble() refuses an architecture that it has no code for", () => {
  assert.throws(() => assemble("riscv64", ADDRESSES), {
    name: "TypeError",
    message: /riscv64.*x86_64 and aarch64 only/,
  });
});

const INVOKE = { parameters: ["buffer"], result: "i64" } as const;
const SIX = { parameters: ["i64", "i64", "i64", "i64", "i64", "i64"], result: "i64" } as const;
const CLOCK = { parameters: ["i32", "pointer"], result: "i32" } as const;
const ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS;
const LOCATION = { parameters: [], result: "pointer" } as const;

/** The code on a page of its own, with an errno and a clock that the test makes up. */
class Harness implements Disposable {
  readonly frame = new BigInt64Array(FRAME.size / 8);
  readonly errno = new Int32Array(1);
  readonly #signalCounts = new Int32Array(65);
  readonly clocks: number[] = [];
  errnoReads = 0;
  #time = 0n;
  readonly #page: bigint;
  readonly #clock = new Deno.UnsafeCallback(CLOCK, (id, into) => {
    this.clocks.push(id);
    const address = Deno.UnsafePointer.value(into);
    const pointer = Deno.UnsafePointer.create(BigInt(address));
    assert.ok(pointer !== null);
    const timespec = new BigInt64Array(Deno.UnsafePointerView.getArrayBuffer(pointer, 16));
    timespec[0] = ++this.#time;
    timespec[1] = this.#time * 10n;
    return 0;
  });
  readonly #location = new Deno.UnsafeCallback(LOCATION, () => {
    this.errnoReads++;
    return Deno.UnsafePointer.of(this.errno);
  });
  readonly #invoke: Deno.UnsafeFnPointer<typeof INVOKE>;

  constructor() {
    const code = assemble(Deno.build.arch, {
      errnoLocation: BigInt(Deno.UnsafePointer.value(this.#location.pointer)),
      clockGettime: BigInt(Deno.UnsafePointer.value(this.#clock.pointer)),
      signalCounts: addressOf(this.#signalCounts),
    });
    this.#page = callWide("mmap", null, 4096, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
    const page = Deno.UnsafePointer.create<typeof INVOKE>(this.#page);
    assert.ok(page !== null);
    new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(page, 4096)).set(code.bytes);
    assert.equal(call("mprotect", this.#page, 4096, PROT_READ | PROT_EXEC), 0);
    this.#invoke = new Deno.UnsafeFnPointer(page, INVOKE);
  }

  /** Calls `body` through the code, with these arguments. */
  invoke(body: (...args: bigint[]) => bigint, args: bigint[] = []): bigint {
    using function_ = disposable(new Deno.UnsafeCallback(SIX, body));
    this.frame[FRAME.fn / 8] = BigInt(Deno.UnsafePointer.value(function_.pointer));
    args.forEach((value, i) => this.frame[FRAME.args / 8 + i] = value);
    return this.#invoke.call(new Uint8Array(this.frame.buffer));
  }

  field(at: number): bigint {
    return this.frame[at / 8] ?? 0n;
  }

  [Symbol.dispose](): void {
    this.#clock.close();
    this.#location.close();
    call("munmap", this.#page, 4096);
  }
}

function disposable<T extends { close(): void }>(value: T): T & Disposable {
  return Object.assign(value, { [Symbol.dispose]: () => value.close() });
}

Deno.test("the code passes six arguments and returns a result of 64 bits", () => {
  using harness = new Harness();
  const args = [1n, -2n, 0x7fff_ffff_ffff_ffffn, 4n, -(2n ** 63n), 6n];
  let seen: bigint[] = [];
  const result = harness.invoke((...given) => {
    seen = given;
    return 0x1234_5678_9abc_def0n;
  }, args);
  assert.deepEqual(seen, args);
  assert.equal(result, 0x1234_5678_9abc_def0n);
  assert.equal(harness.field(FRAME.result), result);
  assert.equal(harness.errnoReads, 0, "errno is not looked at where the call succeeded");
});

Deno.test("the code stores errno negated where the function returned -1, as int or long", () => {
  using harness = new Harness();
  for (const minusOne of [-1n, 0xffff_ffffn]) {
    harness.errnoReads = 0;
    const result = harness.invoke(() => {
      harness.errno[0] = 104;
      return minusOne;
    });
    assert.equal(result, -104n);
    assert.equal(harness.field(FRAME.result), -104n);
    assert.equal(harness.errnoReads, 1);
  }
});

Deno.test("the code takes no other negative result for a failure", () => {
  using harness = new Harness();
  harness.errno[0] = 104;
  assert.equal(harness.invoke(() => -2n), -2n);
  assert.equal(harness.errnoReads, 0);
});

Deno.test("the code says which thread is in the call, and only while it is", () => {
  using harness = new Harness();
  let during = 0n;
  const tid = callWide("gettid");
  harness.invoke(() => {
    during = harness.field(FRAME.tid);
    return 0n;
  });
  assert.equal(during, tid);
  assert.equal(harness.field(FRAME.tid), 0n);
});

Deno.test("the code takes CLOCK_MONOTONIC before and after the call, not in between", () => {
  using harness = new Harness();
  let before = 0;
  harness.invoke(() => {
    before = harness.clocks.length;
    return 0n;
  });
  assert.equal(before, 1);
  assert.deepEqual(harness.clocks, [1, 1]);
  assert.deepEqual([harness.field(FRAME.enter), harness.field(FRAME.enter + 8)], [1n, 10n]);
  assert.deepEqual([harness.field(FRAME.leave), harness.field(FRAME.leave + 8)], [2n, 20n]);
});
