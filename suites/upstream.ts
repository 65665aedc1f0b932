/**
 * The list of cases of the kernel's vsock_test: there a case is known by its position.
 *
 * @module
 */
import { upstreamName } from "../core/case.ts";
import { CATALOGUE } from "./catalogue.ts";
import type { ConformanceCase } from "./kit.ts";
import { DIAG_NAMES, type Program, URING_NAMES } from "./upstream_programs.ts";

/** The names in tools/testing/vsock/vsock_test.c of Linux 7.3, in order. */
const NAMES = [
  "SOCK_STREAM connection reset",
  "SOCK_STREAM bind only",
  "SOCK_STREAM client close",
  "SOCK_STREAM server close",
  "SOCK_STREAM multiple connections",
  "SOCK_STREAM MSG_PEEK",
  "SOCK_SEQPACKET msg bounds",
  "SOCK_SEQPACKET MSG_TRUNC flag",
  "SOCK_SEQPACKET timeout",
  "SOCK_SEQPACKET invalid receive buffer",
  "SOCK_STREAM poll() + SO_RCVLOWAT",
  "SOCK_SEQPACKET big message",
  "SOCK_STREAM test invalid buffer",
  "SOCK_SEQPACKET test invalid buffer",
  "SOCK_STREAM virtio skb merge",
  "SOCK_SEQPACKET MSG_PEEK",
  "SOCK_STREAM SHUT_WR",
  "SOCK_STREAM SHUT_RD",
  "SOCK_STREAM MSG_ZEROCOPY",
  "SOCK_SEQPACKET MSG_ZEROCOPY",
  "SOCK_STREAM MSG_ZEROCOPY empty MSG_ERRQUEUE",
  "SOCK_STREAM double bind connect",
  "SOCK_STREAM virtio credit update + SO_RCVLOWAT",
  "SOCK_STREAM virtio credit update + low rx_bytes",
  "SOCK_STREAM ioctl(SIOCOUTQ) 0 unsent bytes",
  "SOCK_SEQPACKET ioctl(SIOCOUTQ) 0 unsent bytes",
  "SOCK_STREAM leak accept queue",
  "SOCK_STREAM MSG_ZEROCOPY leak MSG_ERRQUEUE",
  "SOCK_STREAM MSG_ZEROCOPY leak completion skb",
  "SOCK_STREAM transport release use-after-free",
  "SOCK_STREAM retry failed connect()",
  "SOCK_STREAM SO_LINGER null-ptr-deref",
  "SOCK_STREAM SO_LINGER close() on unread",
  "SOCK_STREAM transport change null-ptr-deref, lockdep warn",
  "SOCK_STREAM ioctl(SIOCINQ) functionality",
  "SOCK_SEQPACKET ioctl(SIOCINQ) functionality",
  "SOCK_STREAM accept()ed socket custom setsockopt()",
  "SOCK_STREAM virtio MSG_ZEROCOPY coalescence corruption",
  "SOCK_STREAM TX credit bounds",
  "SOCK_STREAM MSG_PEEK after partial recv",
  "SOCK_STREAM small packets backpressure",
] as const;

/** A place in upstream's list. */
export interface UpstreamEntry {
  /** Its position, upstream's test id. */
  readonly position: number;
  /** Its name there. */
  readonly name: string;
  /** The case of ours that has its meaning; undefined where there is none yet. */
  readonly case: ConformanceCase | undefined;
}

const LISTS: Readonly<Record<Program, readonly string[]>> = {
  "vsock_test": NAMES,
  "vsock_diag_test": DIAG_NAMES,
  "vsock_uring_test": URING_NAMES,
};

/** The list of one of upstream's programs. */
export function upstreamList(program: Program = "vsock_test"): UpstreamEntry[] {
  const byName = new Map(CATALOGUE.map((definition) => [upstreamName(definition), definition]));
  return LISTS[program].map((name, position) => ({ position, name, case: byName.get(name) }));
}
