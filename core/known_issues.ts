/**
 * Known issues of Linux's AF_VSOCK, by the names that docs/kernels.md explains. A failure that one of
 * them explains stays a failure, and names it; a baseline is what makes it an expected one.
 *
 * @module
 */
import { isDeniedClaim, isKernelIn, type Judged } from "./baseline.ts";
import type { Verdict } from "./outcome.ts";
import type { Direction } from "./plan.ts";
import { matches } from "./selector.ts";

/** A known issue. */
export interface KnownIssue {
  /** Its name, as `K-7`. */
  readonly name: string;
  /** What happens, in a phrase. */
  readonly what: string;
  /** The kernels that have it, as a baseline writes them; all where this is empty. */
  readonly kernels: string;
  /** The only direction that shows it, if one does. */
  readonly direction?: Direction;
  /** There where it is a race that a run may lose or win: a baseline cannot promise it everywhere. */
  readonly isRace?: true;
  /** A selector of the cases that show it. */
  readonly cases: string;
}

/** All of them; the lines of `fixtures/baselines/` that name an issue say the same. */
export const KNOWN_ISSUES: readonly KnownIssue[] = [
  {
    name: "K-1",
    what: "a connection with many small unread messages is reset though there is credit",
    kernels: ">=6.12",
    cases: "messages/small/two-thousand-unread",
  },
  {
    name: "K-2",
    what: "the part of a message whose send() failed stays, and the next is appended to it",
    kernels: "",
    cases: "messages/torn",
  },
  {
    name: "K-3",
    what: "poll() says POLLIN when only a part of a message has come",
    kernels: "",
    cases: "wire/message/poll-waits-for-end",
  },
  {
    name: "K-4",
    what: "after a refused connect() that did not wait, every other one is EALREADY",
    kernels: "",
    cases: "connect/nonblocking/*-again-after-refusal",
  },
  {
    name: "K-5",
    what: "a local network namespace has no SOCK_SEQPACKET",
    kernels: ">=7.0",
    cases: "namespaces/loopback/seqpacket-in-local",
  },
  {
    name: "K-6",
    what: "connect() to VMADDR_CID_ANY reaches loopback where the guest's driver has no device",
    kernels: "",
    direction: "loopback",
    cases: "connect/refused/*-at-any-cid",
  },
  {
    name: "K-7",
    what: "send() of memory that is not there is ENOMEM, not EFAULT",
    kernels: "",
    cases: "errors/memory/*-send",
  },
  {
    name: "K-9",
    what: "after the peer's end one's own shutdown() turns the end of file into ENOTCONN",
    kernels: "",
    cases: "half-close/after-peers-close/*-all-read",
  },
  {
    name: "K-10",
    what: "a connect() that a signal interrupts leaves half a connection behind",
    kernels: "",
    isRace: true,
    cases: "signals/connect/called-again-after-eintr",
  },
  {
    name: "K-11",
    what: "recv() that waits on a socket in a sockmap keeps it locked, and nothing reaches it",
    kernels: ">=6.4",
    cases: "bpf/sockmap/waiting-reader-is-woken",
  },
];

/** The known issue that a case shows on kernels, if there is one. */
export function knownIssueOf({ id, direction, kernels }: Judged): KnownIssue | undefined {
  return KNOWN_ISSUES.find((issue) =>
    matches(issue.cases, id) &&
    (issue.direction ?? direction) === direction &&
    kernels.some((kernel) => isKernelIn(kernel, issue.kernels))
  );
}

/** A verdict with the known issue in front of its reasons, where one explains it. */
export function withKnownIssue(where: Judged, verdict: Verdict): Verdict {
  const issue = isDeniedClaim(verdict) ? knownIssueOf(where) : undefined;
  if (issue === undefined) return verdict;
  const kernels = issue.kernels === "" ? "all kernels" : `Linux ${issue.kernels}`;
  const why = `known: ${issue.name}: ${issue.what} (${kernels}; see docs/kernels.md, and ` +
    "--baseline with fixtures/baselines/ to expect it)";
  return { ...verdict, reasons: [why, ...verdict.reasons] };
}
