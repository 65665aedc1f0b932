/**
 * The machine code through which every libc call goes: one native call returns a result and its
 * errno, and says on which thread and for how long it ran.
 *
 * A JavaScript engine makes system calls of its own between two FFI calls, so errno read by a
 * second call is sometimes another call's. Here the function and its arguments lie in a
 * {@linkcode FRAME}; the code calls it, and if it returned -1 stores errno, negated, instead.
 *
 * @module
 */

/** Byte offsets in the call frame that the code reads and writes; every field is 8 bytes wide. */
export const FRAME = {
  /** int32: the thread id of the caller while the call is under way, otherwise 0. */
  tid: 0,
  /** struct timespec: CLOCK_MONOTONIC before the call. */
  enter: 8,
  /** struct timespec: CLOCK_MONOTONIC after the call. */
  leave: 24,
  /** Address of the libc function. */
  fn: 40,
  /** Six arguments, int64 each. */
  args: 48,
  /** int64: the result, or the negated errno. */
  result: 96,
  /** Size of the frame in bytes. */
  size: 104,
} as const;

/** Addresses that the code calls. */
export interface CodeAddresses {
  /** `int *__errno_location(void)` */
  readonly errnoLocation: bigint;
  /** `int clock_gettime(clockid_t, struct timespec *)` */
  readonly clockGettime: bigint;
  /** An array of int32, one for each signal, that the handler counts in. */
  readonly signalCounts: bigint;
}

/** Machine code and where in it the two entry points are. */
export interface Code {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Offset of `int64_t invoke(struct frame *)`. */
  readonly invoke: number;
  /** Offset of `void handler(int signal)`, a signal handler that counts the signal. */
  readonly handler: number;
}

/** Architectures for which {@linkcode assemble} has code. */
export type Architecture = "x86_64" | "aarch64";

/**
 * Writes the code for an architecture.
 *
 * @throws {TypeError} where there is none.
 */
export function assemble(architecture: string, addresses: CodeAddresses): Code {
  switch (architecture) {
    case "x86_64":
      return withHandler(x86(addresses), x86Handler(addresses));
    case "aarch64":
      return withHandler(arm(addresses), armHandler(addresses));
    default:
      throw new TypeError(
        `Cannot call libc on ${architecture}: there is a calling sequence for x86_64 and aarch64 only`,
      );
  }
}

function withHandler(invoke: number[], handler: number[]): Code {
  const offset = (invoke.length + 15) & ~15;
  const bytes = new Uint8Array(offset + handler.length);
  bytes.set(invoke);
  bytes.set(handler, offset);
  return { bytes, invoke: 0, handler: offset };
}

function quad(value: bigint): number[] {
  return [...new Uint8Array(new BigUint64Array([value]).buffer)];
}

function word(value: number): number[] {
  return [...new Uint8Array(new Uint32Array([value]).buffer)];
}

function x86({ errnoLocation, clockGettime }: CodeAddresses): number[] {
  const time = (at: number) => [
    ...[0xbf, 1, 0, 0, 0], //                 mov edi, 1 (CLOCK_MONOTONIC)
    ...[0x48, 0x8d, 0x73, at], //             lea rsi, [rbx+at]
    ...[0x48, 0xb8, ...quad(clockGettime)], // mov rax, clock_gettime
    ...[0xff, 0xd0], //                       call rax
  ];
  const onError = [
    ...[0x48, 0xb8, ...quad(errnoLocation)], // mov rax, __errno_location
    ...[0xff, 0xd0], //                       call rax
    ...[0x48, 0x63, 0x00], //                 movsxd rax, dword [rax]
    ...[0x48, 0xf7, 0xd8], //                 neg rax
    ...[0x48, 0x89, 0x43, FRAME.result], //   mov [rbx+result], rax
  ];
  return [
    ...[0x53], //                             push rbx
    ...[0x48, 0x89, 0xfb], //                 mov rbx, rdi
    ...[0xb8, 186, 0, 0, 0], //               mov eax, __NR_gettid
    ...[0x0f, 0x05], //                       syscall
    ...[0x89, 0x03], //                       mov [rbx], eax
    ...time(FRAME.enter),
    ...[0x48, 0x8b, 0x7b, FRAME.args], //     mov rdi, [rbx+args]
    ...[0x48, 0x8b, 0x73, FRAME.args + 8], // mov rsi, ...
    ...[0x48, 0x8b, 0x53, FRAME.args + 16], // mov rdx, ...
    ...[0x48, 0x8b, 0x4b, FRAME.args + 24], // mov rcx, ...
    ...[0x4c, 0x8b, 0x43, FRAME.args + 32], // mov r8, ...
    ...[0x4c, 0x8b, 0x4b, FRAME.args + 40], // mov r9, ...
    ...[0x31, 0xc0], //                       xor eax, eax (no vector arguments to a variadic)
    ...[0xff, 0x53, FRAME.fn], //             call [rbx+fn]
    ...[0x48, 0x89, 0x43, FRAME.result], //   mov [rbx+result], rax
    ...[0x83, 0xf8, 0xff], //                 cmp eax, -1 (int functions define 32 bits only)
    ...[0x75, onError.length], //             jne over
    ...onError,
    ...time(FRAME.leave),
    ...[0xc7, 0x03, 0, 0, 0, 0], //           mov dword [rbx], 0
    ...[0x48, 0x8b, 0x43, FRAME.result], //   mov rax, [rbx+result]
    ...[0x5b], //                             pop rbx
    ...[0xc3], //                             ret
  ];
}

function x86Handler({ signalCounts }: CodeAddresses): number[] {
  return [
    ...[0x48, 0x63, 0xc7], //                 movsxd rax, edi
    ...[0x48, 0xb9, ...quad(signalCounts)], // mov rcx, signalCounts
    ...[0xf0, 0xff, 0x04, 0x81], //           lock inc dword [rcx+rax*4]
    ...[0xc3], //                             ret
  ];
}

/** movz/movk of the four 16-bit parts of an address into a register. */
function armAddress(register: number, address: bigint): number[] {
  return [0, 1, 2, 3].map((part) => {
    const bits = Number(address >> BigInt(16 * part) & 0xffffn);
    return (part === 0 ? 0xd2800000 : 0xf2800000) | part << 21 | bits << 5 | register;
  });
}

function armHandler({ signalCounts }: CodeAddresses): number[] {
  return [
    ...armAddress(1, signalCounts),
    0x8b20c821, //               add x1, x1, w0, sxtw #2
    0x885f7c22, //         again: ldxr w2, [x1]
    0x11000442, //               add w2, w2, #1
    0x88037c22, //               stxr w3, w2, [x1]
    0x35ffffa3, //               cbnz w3, again
    0xd65f03c0, //               ret
  ].flatMap((instruction) => word(instruction >>> 0));
}

function arm({ errnoLocation, clockGettime }: CodeAddresses): number[] {
  const load = (register: number, at: number) => 0xf9400260 | (at / 8) << 10 | register;
  const store = (register: number, at: number) => 0xf9000260 | (at / 8) << 10 | register;
  const call = (address: bigint) => [
    ...armAddress(16, address),
    0xd63f0200, //               blr x16
  ];
  const time = (at: number) => [
    0xd2800020, //               mov x0, #1 (CLOCK_MONOTONIC)
    0x91000261 | at << 10, //    add x1, x19, #at
    ...call(clockGettime),
  ];
  const onError = [
    ...call(errnoLocation),
    0xb9800000, //               ldrsw x0, [x0]
    0xcb0003e0, //               neg x0, x0
    store(0, FRAME.result),
  ];
  return [
    0xa9be7bfd, //               stp x29, x30, [sp, #-32]!
    0x910003fd, //               mov x29, sp
    0xf9000bf3, //               str x19, [sp, #16]
    0xaa0003f3, //               mov x19, x0
    0xd2801648, //               mov x8, #178 (__NR_gettid)
    0xd4000001, //               svc #0
    0xb9000260, //               str w0, [x19]
    ...time(FRAME.enter),
    ...[0, 1, 2, 3, 4, 5].map((n) => load(n, FRAME.args + 8 * n)),
    load(16, FRAME.fn),
    0xd63f0200, //               blr x16
    store(0, FRAME.result),
    0x3100041f, //               cmn w0, #1 (int functions define 32 bits only)
    0x54000001 | (onError.length + 1) << 5, // b.ne over
    ...onError,
    ...time(FRAME.leave),
    0xb900027f, //               str wzr, [x19]
    load(0, FRAME.result),
    0xf9400bf3, //               ldr x19, [sp, #16]
    0xa8c27bfd, //               ldp x29, x30, [sp], #32
    0xd65f03c0, //               ret
  ].flatMap((instruction) => word(instruction >>> 0));
}
