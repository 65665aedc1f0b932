/**
 * Libc's functions without the frame of {@linkcode call}, for loops whose calls are counted in
 * fractions of a microsecond: 0.1 µs a call instead of 2, and nothing is allocated.
 *
 * The result tells that a call failed, and no more: errno cannot be read afterwards. Whoever gets
 * -1 makes the call again through {@linkcode call}, which tells why.
 *
 * @module
 */
import { CLOCK_MONOTONIC } from "./constants.ts";
import { openLibc } from "./libc.ts";
import type { Bytes } from "./structs.ts";

/** Lengths are bigints, since the engine would make one of a number anew for every call. */
const SYMBOLS = {
  // ssize_t send(int sockfd, const void *buf, size_t len, int flags)
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  // ssize_t recv(int sockfd, void *buf, size_t len, int flags)
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  // ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags)
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // int poll(struct pollfd *fds, nfds_t nfds, int timeout)
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  // int clock_gettime(clockid_t clockid, struct timespec *tp)
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * The functions; each gives -1 where it failed. Results are ints, so no more than 2 GiB may be
 * sent or received at once.
 */
export interface DirectCalls {
  /** send(2); blocks the thread where the socket blocks. */
  readonly send: (fd: number, data: Bytes, length: bigint, flags: number) => number;
  /** recv(2); blocks the thread where the socket blocks. */
  readonly recv: (fd: number, into: Bytes, length: bigint, flags: number) => number;
  /** recvmsg(2). */
  readonly recvmsg: (fd: number, header: Bytes, flags: number) => number;
  /** poll(2); blocks the thread. */
  readonly poll: (set: Bytes, count: bigint, milliseconds: number) => number;
}

let symbols: Deno.StaticForeignLibraryInterface<typeof SYMBOLS> | undefined;

function open() {
  return symbols ??= openLibc(SYMBOLS).symbols;
}

/** The functions, opened once. */
export function directCalls(): DirectCalls {
  return open();
}

/** CLOCK_MONOTONIC, read without allocating anything. */
export class MonotonicClock {
  readonly #gettime = open().clock_gettime;
  /** struct timespec in words: the low word of the seconds is 0, of the nanoseconds 2. */
  readonly #timespec = new Uint32Array(new ArrayBuffer(16));
  readonly #bytes = new Uint8Array(this.#timespec.buffer);

  /** Nanoseconds since some time in the past; exact for the first 100 days of that. */
  now(): number {
    this.#gettime(CLOCK_MONOTONIC, this.#bytes);
    return (this.#timespec[0] ?? 0) * 1e9 + (this.#timespec[2] ?? 0);
  }
}
