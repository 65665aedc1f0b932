/**
 * The kernel's other test programs that speak the protocol of vsock_test, and their lists.
 *
 * @module
 */

/** The names in tools/testing/vsock/vsock_diag_test.c, in order; since Linux 4.20. */
export const DIAG_NAMES = ["No sockets", "Listen socket", "Connect"] as const;

/** The names in tools/testing/vsock/vsock_uring_test.c, in order; since Linux 6.7. */
export const URING_NAMES = [
  "SOCK_STREAM io_uring test",
  "SOCK_STREAM io_uring MSG_ZEROCOPY test",
] as const;

/** The programs that this tool can replace; the first is the default. */
export const PROGRAMS = ["vsock_test", "vsock_diag_test", "vsock_uring_test"] as const;

/** One of the programs. */
export type Program = typeof PROGRAMS[number];
