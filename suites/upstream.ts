/**
 * The lists of cases of the kernel's vsock_test: there a case is known by its position.
 *
 * @module
 */
import { upstreamName } from "../core/case.ts";
import { CATALOGUE } from "./catalogue.ts";
import type { ConformanceCase } from "./kit.ts";

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

/** The versions of Linux whose lists are known, the newest first. */
export const UPSTREAM_VERSIONS = ["7.3", "6.12", "6.1"] as const;

/** A version of Linux whose list is known. */
export type UpstreamVersion = typeof UPSTREAM_VERSIONS[number];

/** The newest of them, which the cases are ported from. */
export const NEWEST_VERSION: UpstreamVersion = UPSTREAM_VERSIONS[0];

interface VersionFacts {
  /** How many of the names it has. */
  readonly length: number;
  /** Names under which it has another case, with other lines on the control channel. */
  readonly others: readonly typeof NAMES[number][];
}

const VERSIONS: Readonly<Record<UpstreamVersion, VersionFacts>> = {
  "7.3": { length: NAMES.length, others: [] },
  "6.12": { length: 26, others: [] },
  "6.1": { length: 11, others: ["SOCK_STREAM MSG_PEEK", "SOCK_SEQPACKET msg bounds"] },
};

/** A place in upstream's list. */
export interface UpstreamEntry {
  /** Its position, upstream's test id. */
  readonly position: number;
  /** Its name there. */
  readonly name: string;
  /** The case of ours that exchanges the same lines; undefined where there is none. */
  readonly case: ConformanceCase | undefined;
}

/** The versions that have another case, with other lines, under a name of this version. */
export function versionsWithOther(name: string): UpstreamVersion[] {
  return UPSTREAM_VERSIONS.filter((version) =>
    VERSIONS[version].others.some((other) => other === name)
  );
}

/** The list of a version. */
export function upstreamList(version: UpstreamVersion = NEWEST_VERSION): UpstreamEntry[] {
  const byName = new Map(CATALOGUE.map((definition) => [upstreamName(definition), definition]));
  const { length, others } = VERSIONS[version];
  return NAMES.slice(0, length).map((name, position) => ({
    position,
    name,
    case: others.includes(name) ? undefined : byName.get(name),
  }));
}
