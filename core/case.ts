/**
 * What a conformance case is: what it claims, where the claim comes from, and its two roles.
 *
 * @module
 */

/** What an implementation may lack without being wrong; a case that needs it is then skipped. */
export const FEATURES = {
  seqpacket: "SOCK_SEQPACKET sockets between the two sides",
  zerocopy: "MSG_ZEROCOPY (SO_ZEROCOPY)",
  siocoutq: "ioctl(SIOCOUTQ)",
  siocinq: "ioctl(SIOCINQ)",
  "vsock-diag": "vsock_diag (CONFIG_VSOCKETS_DIAG)",
  "no-other-sockets": "a machine on which no other program has AF_VSOCK sockets",
  "io-uring": "io_uring (CONFIG_IO_URING)",
  "sendmsg-zc": "io_uring with IORING_OP_SENDMSG_ZC",
  "local-transport": "a CID that one can bind to and connect to",
  "known-place": "the transports of Linux alone (loopback, virtio, vhost)",
  "second-cid": "a second CID of its own",
  "second-transport": "a second transport, to which connect() can move a socket",
  "cid-without-transport": "a CID to which no transport leads",
  "loopback-cid": "VMADDR_CID_LOCAL (vsock_loopback)",
  "namespaces":
    "network namespaces with a mode for AF_VSOCK (Linux 7.0), and the right to make them",
  "vhost-device": "/dev/vhost-vsock",
  "several-devices": "several vsock devices, and IOCTL_VM_SOCKETS_GET_LOCAL_CIDS that lists them",
  "unused-device": "a vsock device that the driver did not take",
  "guest-monitor": "the monitor of the guest's QEMU (--guest-monitor)",
  "g2h-fallback": "a guest with net.vsock.g2h_fallback",
} as const;

/** The name of a feature that a case may need. */
export type Feature = keyof typeof FEATURES;

/** The two sides of a case. */
export type Role = "client" | "server";

const ROLES: readonly Role[] = ["client", "server"];

/** What a case needs: of both sides, or of one of them. */
export type Need = Feature | Readonly<Partial<Record<Role, Feature>>>;

/** Where a requirement is written down. */
export type Reference =
  | { readonly kind: "man"; readonly page: string; readonly section: number; readonly at: string }
  | { readonly kind: "spec"; readonly section: string }
  | { readonly kind: "kernel"; readonly function: string }
  | { readonly kind: "proposal"; readonly part: string }
  | { readonly kind: "upstream"; readonly name: string; readonly changed?: string };

/** A manual page, and what in it. */
export function man(page: string, section: number, at: string): Reference {
  return { kind: "man", page, section, at };
}

/** A section of the virtio specification, 1.3. */
export function spec(section: string): Reference {
  return { kind: "spec", section };
}

/** The kernel function that decides. */
export function kernel(name: string): Reference {
  return { kind: "kernel", function: name };
}

/**
 * The proposal of May 2024 for several devices, "[RFC PATCH 0/5] vsock/virtio: Add support for
 * multi-devices".
 *
 * @param part of it, such as `2/5`.
 */
export function proposal(part: string): Reference {
  return { kind: "proposal", part };
}

/**
 * The case of the kernel's tools/testing/vsock whose meaning this one has.
 *
 * @param changed what this one does otherwise, and why, if anything.
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
    case "proposal":
      return `RFC PATCH ${reference.part} of May 2024, vsock/virtio: Add support for multi-devices`;
    case "upstream":
      return `tools/testing/vsock, "${reference.name}"`;
  }
}

/** How much a requirement binds: a broken MUST is a failure, a broken SHOULD a warning. */
export type Level = "must" | "should";

/** What is known of a case without running it. */
export interface CaseInfo {
  /** `family/topic/claim`, lower case; never changed and never used again. */
  readonly id: string;
  /** One line for people. */
  readonly title: string;
  /** One sentence that says MUST or SHOULD, and decides between failure and warning. */
  readonly requirement: string;
  /** Where the requirement is written down, the upstream case among them. */
  readonly refs: readonly Reference[];
  /** What it needs; without that it is skipped. */
  readonly needs?: readonly Need[];
  /** How many times the usual deadline it may take, where it makes hundreds of calls; 1 if not. */
  readonly timeFactor?: number;
  /** Why no other case may run at the same time, where none may: it reads "it counts ...". */
  readonly alone?: string;
  /** That it takes more than 2 s, by the kernel's times or its own; `--quick` leaves it out. */
  readonly slow?: true;
}

/** How long a case may take where most cases may take `timeout`, both in milliseconds. */
export function deadlineOf({ timeFactor = 1 }: Pick<CaseInfo, "timeFactor">, timeout: number) {
  return timeFactor * timeout;
}

/** What a case needs of the side that plays a role. */
export function neededOf(info: Pick<CaseInfo, "needs">, role: Role): Feature[] {
  return (info.needs ?? []).flatMap((need) => {
    const feature = typeof need === "string" ? need : need[role];
    return feature === undefined ? [] : [feature];
  });
}

/** A case: its client and its server run at the same time, on the two sides. */
export interface Case<Context> extends CaseInfo {
  /**
   * What each side does, for people: a sentence without a subject or a full stop for each that has a
   * body ("accepts, receives 32 bytes, and claims ..."), with what it claims.
   */
  readonly does: Readonly<Partial<Record<Role, string>>>;
  /** Runs on the side that connects. */
  readonly client: (context: Context) => void | Promise<void>;
  /** Runs on the side that accepts; without it that side only keeps out of the way. */
  readonly server?: (context: Context) => void | Promise<void>;
}

/** The form of a case's id. */
export const CASE_ID = /^[a-z][a-z0-9-]*(\/[a-z0-9][a-z0-9-]*){2}$/;

/** Most characters of what a side does. */
const MAX_DOES = 240;

/**
 * Checks what a case says of itself.
 *
 * @throws {TypeError} where its id, its requirement or what its sides do is not of the form that
 *   others rely on.
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

/** What is wrong with what a side is said to do; undefined where nothing is. */
function wrongDeed(deed: string | undefined, hasBody: boolean): string | undefined {
  if (deed === undefined) return hasBody ? "nothing is said of it" : undefined;
  if (!hasBody) return "it has no body";
  if (!/^[a-z]+s\b/.test(deed)) return "it must begin with a verb, such as connects";
  if (!/^[^\n]*[^\s.]$/.test(deed)) return "it must be one line without a full stop at its end";
  return deed.length > MAX_DOES ? `it has more than ${MAX_DOES} characters` : undefined;
}

/** The level of a case's requirement; undefined where it says neither MUST nor SHOULD. */
export function levelOf(info: Pick<CaseInfo, "requirement">): Level | undefined {
  if (/\bMUST\b/.test(info.requirement)) return "must";
  return /\bSHOULD\b/.test(info.requirement) ? "should" : undefined;
}

/** The name of the upstream case that a case was ported from, if any. */
export function upstreamName(info: Pick<CaseInfo, "refs">): string | undefined {
  return info.refs.find((reference) => reference.kind === "upstream")?.name;
}
