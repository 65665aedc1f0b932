/**
 * How often what is drawn: calls, sizes, and lengths of programs.
 *
 * @module
 */
import type { CallName } from "../core/socket_call.ts";

/** How often a call is drawn, in proportion to the others; what makes connections is drawn apart. */
export const WEIGHTS: Readonly<Record<CallName, number>> = {
  socket: 2,
  bind: 2,
  autobind: 1,
  listen: 2,
  connect: 3,
  accept: 3,
  send: 14,
  recv: 14,
  shutdown: 4,
  close: 3,
  dup: 1,
  poll: 8,
  getsockname: 1,
  getpeername: 2,
  getsockopt: 2,
  setsockopt: 3,
  ioctl: 4,
};

/** Sizes at which packets, buffers and the kernel's own rules change. */
export const EDGES = [0, 1, 2, 64, 128, 4052, 4096, 16_384, 32_768, 65_536, 131_072];
/** Values of options besides those of the sockets. */
export const VALUES = [1, 128, 4096, 65_536, 131_072, 262_144, 262_145, 524_288];
/** Sizes of buffers for most connections. */
export const SMALL_BUFFERS = [16_384, 32_768, 65_536, 65_537];
/** Most sockets that are open at once, and the fewest and most calls of a program. */
export const MAX_OPEN = 8;
export const LENGTHS = { min: 4, max: 60 };
/** How many calls are drawn for one that is made: the one that was seen least. */
export const CANDIDATES = 3;
/** Calls that make a descriptor. */
export const MAKING: readonly CallName[] = ["socket", "accept", "dup"];
/** Times that connect() is given, in seconds, 0 for the default: none shorter than that. */
export const CONNECT_TIMEOUTS = [0, 2, 3, 8];
