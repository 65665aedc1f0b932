/**
 * The case lists of the kernel's test programs, which identify a case by its position.
 *
 * @module
 */
import { upstreamName } from "../core/case.ts";
import { CATALOGUE } from "./catalogue.ts";
import type { ConformanceCase } from "../kit/mod.ts";
import { DIAG_NAMES, type Program, PROGRAMS, URING_NAMES } from "./upstream_programs.ts";

/**
 * The names in tools/testing/vsock/vsock_test.c of Linux 7.3, in order. Older versions have fewer:
 * upstream appends, so that positions stay.
 */
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

/** The versions of Linux whose lists are known, newest first. */
export const UPSTREAM_VERSIONS = ["7.3", "6.12", "6.1"] as const;

/** A version of Linux whose list is known. */
export type UpstreamVersion = typeof UPSTREAM_VERSIONS[number];

/** The newest of them, which the cases are ported from. */
export const NEWEST_VERSION: UpstreamVersion = UPSTREAM_VERSIONS[0];

/** What the versions of a program have in their lists. */
interface ProgramLists {
  /** The names of the newest version, in order. */
  readonly names: readonly string[];
  /** How many of the names each version has. */
  readonly lengths: Readonly<Record<UpstreamVersion, number>>;
  /** Names that stand for a different case in a version, with other lines on the control channel. */
  readonly others?: Readonly<Partial<Record<UpstreamVersion, readonly string[]>>>;
}

const LISTS: Readonly<Record<Program, ProgramLists>> = {
  "vsock_test": {
    names: NAMES,
    lengths: { "7.3": NAMES.length, "6.12": 26, "6.1": 11 },
    others: { "6.1": ["SOCK_STREAM MSG_PEEK", "SOCK_SEQPACKET msg bounds"] },
  },
  "vsock_diag_test": { names: DIAG_NAMES, lengths: { "7.3": 3, "6.12": 3, "6.1": 3 } },
  "vsock_uring_test": { names: URING_NAMES, lengths: { "7.3": 2, "6.12": 2, "6.1": 0 } },
};

/** A place in upstream's list. */
export interface UpstreamEntry {
  /** Its position, upstream's test id. */
  readonly position: number;
  /** Its name in the list. */
  readonly name: string;
  /** The case that exchanges the same lines; undefined if there is none. */
  readonly case: ConformanceCase | undefined;
}

/** The versions of a program in which a current name stands for a different case, with other lines. */
export function versionsWithOther(program: Program, name: string): UpstreamVersion[] {
  const { others = {} } = LISTS[program];
  return UPSTREAM_VERSIONS.filter((version) => others[version]?.includes(name));
}

/** The list of a version of a program. */
export function upstreamList(
  program: Program = PROGRAMS[0],
  version: UpstreamVersion = NEWEST_VERSION,
): UpstreamEntry[] {
  const byName = new Map(CATALOGUE.map((definition) => [upstreamName(definition), definition]));
  const { names, lengths, others = {} } = LISTS[program];
  return names.slice(0, lengths[version]).map((name, position) => ({
    position,
    name,
    case: others[version]?.includes(name) ? undefined : byName.get(name),
  }));
}
