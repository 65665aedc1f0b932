/**
 * What happens in a run, as one stream of events that every output is made from.
 *
 * @module
 */
import type { Direction, Topology } from "./plan.ts";
import type { Counts, Verdict } from "./outcome.ts";

/** What one end says of itself. */
export interface EndFacts {
  /** "host", "guest" or "loopback". */
  readonly name: string;
  /** uname -r. */
  readonly kernel: string;
  /** uname -m. */
  readonly machine: string;
  /** IOCTL_VM_SOCKETS_GET_LOCAL_CID, where there is a /dev/vsock. */
  readonly localCid?: number;
  /** All CIDs of a guest with several devices, the default one's first. */
  readonly localCids?: readonly number[];
  /** The version of the tool. */
  readonly version: string;
  /** Why faults in its kernel's log go unseen, where they do. */
  readonly unwatched?: string;
  /** What tells of leaks there, where something does. */
  readonly leaks?: LeakFacts;
}

/** How an end looks for what its kernel leaks. */
export interface LeakFacts {
  /** What it looks at. */
  readonly watched: readonly string[];
  /** How long that may take after a case, in milliseconds. */
  readonly milliseconds: number;
}

/** Names a case in a direction. */
export interface CaseRun {
  /** Counts from 1 in every round. */
  readonly number: number;
  /** The case's id. */
  readonly id: string;
  /** Who accepts. */
  readonly direction: Direction;
}

/** An event of a run. */
export type RunEvent =
  | {
    readonly type: "run-start";
    readonly topology: Topology;
    readonly seed: number;
    readonly total: number;
    readonly ends: readonly EndFacts[];
  }
  /** There where a run has several rounds, at the beginning of each. */
  | {
    readonly type: "round-start";
    /** Counts from 1. */
    readonly round: number;
    /** How many there are at most; missing where only a failure ends them. */
    readonly rounds?: number;
    /** Repeats the round with `--seed`. */
    readonly seed: number;
  }
  | { readonly type: "case-start"; readonly run: CaseRun; readonly title: string }
  | {
    readonly type: "case-end";
    readonly run: CaseRun;
    readonly title: string;
    readonly verdict: Verdict;
  }
  | { readonly type: "run-end"; readonly counts: Counts; readonly milliseconds: number }
  /** The only event of a run that never began. */
  | { readonly type: "run-not-started"; readonly reason: string }
  /** The run ended before its plan did. */
  | {
    readonly type: "run-stopped";
    readonly reason: string;
    /** How many cases of the round did not come to a verdict. */
    readonly notRun: number;
    /** Whether an end was lost, and not somebody's wish. */
    readonly lost?: boolean;
  };

/** Takes the events of a run, in order. */
export type EventSink = (event: RunEvent) => void;
