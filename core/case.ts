/**
 * Defines a conformance case: its requirement, the sources of that, and its two roles.
 *
 * @module
 */

/** Features that an implementation may lack; cases that need a missing one are skipped. */
export const FEATURES = {
  seqpacket: "SOCK_SEQPACKET sockets between the two sides",
  zerocopy: "MSG_ZEROCOPY (SO_ZEROCOPY)",
  siocoutq: "ioctl(SIOCOUTQ)",
  siocinq: "ioctl(SIOCINQ)",
  "vsock-diag": "vsock_diag (CONFIG_VSOCKETS_DIAG)",
  "no-other-sockets": "a machine on which no other program has AF_VSOCK sockets",
  "io-uring": "io_uring (CONFIG_IO_URING)",
  "sendmsg-zc": "io_uring with IORING_OP_SENDMSG_ZC",
  "local-transport": "a local CID that can be bound and connected to",
  "known-place": "no transports other than Linux's loopback, virtio and vhost",
  "second-cid": "a second local CID",
  "second-transport": "a second transport, to which connect() can move a socket",
  "cid-without-transport": "a CID that no transport serves",
  "loopback-cid": "VMADDR_CID_LOCAL (vsock_loopback)",
  "namespaces":
    "network namespaces with a mode for AF_VSOCK (Linux 7.0), and the right to create them",
  "vhost-device": "/dev/vhost-vsock",
  "sockmap": "sockmaps of BPF that take its sockets (Linux 6.4), and the right to make them",
  "several-devices": "several vsock devices, and IOCTL_VM_SOCKETS_GET_LOCAL_CIDS that lists them",
  "unused-device": "a vsock device without a driver",
  "guest-monitor": "the monitor of the guest's QEMU (--guest-monitor)",
  "hybrid": "the Unix socket of a device in user space (--hybrid)",
  "g2h-fallback": "a guest with net.vsock.g2h_fallback",
} as const;

/** The name of a feature that a case may need. */
export type Feature = keyof typeof FEATURES;

/** The two sides of a case. */
export type Role = "client" | "server";

const ROLES: readonly Role[] = ["client", "server"];

/** A feature that a case needs, on both sides or on one of them. */
export type Need = Feature | Readonly<Partial<Record<Role, Feature>>>;

/** The source of a requirement. */
export type Reference =
  | { readonly kind: "man"; readonly page: string; readonly section: number; readonly at: string }
  | { readonly kind: "spec"; readonly section: string }
  | { readonly kind: "kernel"; readonly function: string }
  | { readonly kind: "proposal"; readonly part: string }
  | { readonly kind: "firecracker"; readonly section: string }
  | { readonly kind: "upstream"; readonly name: string; readonly changed?: string };

/** A manual page, and the part of it. */
export function man(page: string, section: number, at: string): Reference {
  return { kind: "man", page, section, at };
}

/** A section of the virtio specification, 1.3. */
export function spec(section: string): Reference {
  return { kind: "spec", section };
}

/** The kernel function that decides the outcome. */
export function kernel(name: string): Reference {
  return { kind: "kernel", function: name };
}

/**
 * The proposal of May 2024 for several devices, "[RFC PATCH 0/5] vsock/virtio: Add support for
 * multi-devices".
 *
 * @param part the number of the patch, such as `2/5`.
 */
export function proposal(part: string): Reference {
  return { kind: "proposal", part };
}

/**
 * A section of Firecracker's docs/vsock.md, which describes the Unix sockets that other devices in
 * user space have taken over.
 */
export function firecracker(section: string): Reference {
  return { kind: "firecracker", section };
}

/**
 * The case in the kernel's tools/testing/vsock that this one was ported from.
 *
 * @param changed what this one does differently, and why, if anything.
 */
export function upstream(name: string, changed?: string): Reference {
  return changed === undefined ? { kind: "upstream", name } : { kind: "upstream", name, changed };
}

/** A reference as one line of text. */
export function referenceText(reference: Reference): string {
  switch (reference.kind) {
    case "man":
      return `${reference.page}(${reference.section}): ${reference.at}`;
    case "spec":
      return `virtio 1.3, ${reference.section}`;
    case "kernel":
      return `kernel, ${reference.function}()`;
    case "firecracker":
      return `Firecracker, docs/vsock.md, ${reference.section}`;
    case "proposal":
      return `RFC PATCH ${reference.part} of May 2024, vsock/virtio: Add support for multi-devices`;
    case "upstream":
      return `tools/testing/vsock, "${reference.name}"`;
  }
}

/** The level of a requirement: a violated MUST is a failure, a violated SHOULD a warning. */
export type Level = "must" | "should";

/** Everything about a case that is known without running it. */
export interface CaseInfo {
  /** `family/topic/claim`, in lower case; never changed and never reused. */
  readonly id: string;
  /** A title in one line, for people. */
  readonly title: string;
  /** One sentence that says MUST or SHOULD, and decides between failure and warning. */
  readonly requirement: string;
  /** The sources of the requirement, including the upstream case. */
  readonly refs: readonly Reference[];
  /** The features that it needs; it is skipped if one is missing. */
  readonly needs?: readonly Need[];
  /** A factor for the usual deadline, for a case that makes hundreds of calls; by default 1. */
  readonly timeFactor?: number;
  /** Why no other case may run at the same time, if so: "it counts ...". */
  readonly alone?: string;
  /** That it takes more than 2 s, by the kernel's times or its own; `--quick` leaves it out. */
  readonly slow?: true;
}

/** A case's deadline if the usual one is `timeout`, both in milliseconds. */
export function deadlineOf({ timeFactor = 1 }: Pick<CaseInfo, "timeFactor">, timeout: number) {
  return timeFactor * timeout;
}

/** The features that a case needs on the side with a role. */
export function neededOf(info: Pick<CaseInfo, "needs">, role: Role): Feature[] {
  return (info.needs ?? []).flatMap((need) => {
    const feature = typeof need === "string" ? need : need[role];
    return feature === undefined ? [] : [feature];
  });
}

/** A case: its client and its server run at the same time, on the two sides. */
export interface Case<Context> extends CaseInfo {
  /**
   * What each side that has a body does, for people: a sentence without a subject and without a
   * period ("accepts, receives 32 bytes, and checks that ...").
   */
  readonly does: Readonly<Partial<Record<Role, string>>>;
  /** Runs on the side that connects. */
  readonly client: (context: Context) => void | Promise<void>;
  /** Runs on the side that accepts; without it that side does nothing. */
  readonly server?: (context: Context) => void | Promise<void>;
}

/** The form of a case's id. */
export const CASE_ID = /^[a-z][a-z0-9-]*(\/[a-z0-9][a-z0-9-]*){2}$/;

/** The maximum length of the description of a side. */
const MAX_DOES = 240;

/**
 * Checks the description of a case.
 *
 * @throws {TypeError} if the form of its id, its requirement, its sources or the description of its
 *   sides is not what other parts rely on.
 */
export function validateCase(info: Case<never>): void {
  if (!CASE_ID.test(info.id)) {
    throw new TypeError(`Cannot use the case id "${info.id}": it must read family/topic/claim`);
  }
  if (levelOf(info) === undefined) {
    throw new TypeError(`Cannot use the requirement of ${info.id}: it must say MUST or SHOULD`);
  }
  if (info.refs.length === 0) {
    throw new TypeError(`Cannot use the case ${info.id}: it names no source for its requirement`);
  }
  for (const role of ROLES) {
    const wrong = wrongDeed(info.does[role], info[role] !== undefined);
    if (wrong !== undefined) {
      throw new TypeError(`Cannot use what the ${role} of ${info.id} does: ${wrong}`);
    }
  }
}

/** What is wrong with the description of a side; undefined if nothing is. */
function wrongDeed(deed: string | undefined, hasBody: boolean): string | undefined {
  if (deed === undefined) return hasBody ? "it has no description" : undefined;
  if (!hasBody) return "it has no body";
  if (!/^[a-z]+s\b/.test(deed)) return "it must begin with a verb, such as connects";
  if (!/^[^\n]*[^\s.]$/.test(deed)) return "it must be one line without a period at its end";
  return deed.length > MAX_DOES ? `it has more than ${MAX_DOES} characters` : undefined;
}

/** The level of a case's requirement; undefined if it has neither MUST nor SHOULD. */
export function levelOf(info: Pick<CaseInfo, "requirement">): Level | undefined {
  if (/\bMUST\b/.test(info.requirement)) return "must";
  return /\bSHOULD\b/.test(info.requirement) ? "should" : undefined;
}

/** The name of the upstream case that a case was ported from, if any. */
export function upstreamName(info: Pick<CaseInfo, "refs">): string | undefined {
  return info.refs.find((reference) => reference.kind === "upstream")?.name;
}
