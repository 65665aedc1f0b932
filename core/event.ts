/**
 * The events of a run, from which every output is made.
 *
 * @module
 */
import type { Direction, Topology } from "./plan.ts";
import type { Counts, Verdict } from "./outcome.ts";
import type { Shard } from "./shard.ts";
import type { Splat } from "./splat.ts";
import { taintsOf } from "./taint.ts";

/** The facts that an end reports about itself. */
export interface EndFacts {
  /** "host", "guest" or "loopback". */
  readonly name: string;
  /** uname -r. */
  readonly kernel: string;
  /** uname -m. */
  readonly machine: string;
  /** IOCTL_VM_SOCKETS_GET_LOCAL_CID, if there is a /dev/vsock. */
  readonly localCid?: number;
  /** All CIDs of a guest with several devices, the default one's first. */
  readonly localCids?: readonly number[];
  /** The version of the tool. */
  readonly version: string;
  /** Why faults in its kernel's log are not seen, if so. */
  readonly unwatched?: string;
  /** How leaks are detected there, if they are. */
  readonly leaks?: LeakFacts;
  /** uname -srvm, which includes the build of that version. */
  readonly uname?: string;
  /** /proc/cmdline: the kernel's parameters. */
  readonly commandLine?: string;
  /** The kernel's configuration, if it can be read. */
  readonly config?: ConfigFacts;
  /** /proc/sys/kernel/tainted before the first case; core/taint.ts says what it means. */
  readonly taint?: number;
  /** Faults in the kernel's log before the first case; undefined if there were none. */
  readonly faultsBefore?: readonly Splat[];
}

/** A kernel's configuration. */
export interface ConfigFacts {
  /** The path of the file on that machine. */
  readonly path: string;
  /** SHA-256 of its text, uncompressed, in hexadecimal. */
  readonly sha256: string;
}

/** A VM of a lab, as known to the process that started it. */
export interface VmFacts {
  /** The name of its end: "host", "guest" or "loopback". */
  readonly name: string;
  /** How its processors are provided: "kvm" or a kind of emulation. */
  readonly accelerator?: string;
  /** The first line of `qemu --version`. */
  readonly qemu?: string;
  /** The program and its arguments. */
  readonly command?: readonly string[];
  /** The file with the output of its serial console. */
  readonly console?: string;
}

/** The lab on which cases ran. */
export interface LabFacts {
  /** The kernel, as the user named it. */
  readonly kernel: string;
  /** Its configuration, if the lab knows it and the VMs do not. */
  readonly config?: ConfigFacts;
  /** Its VMs, the outer one first. */
  readonly vms: readonly VmFacts[];
}

/** What made a run, and on what, besides the facts about its ends. */
export interface RunFacts {
  /** The version of the tool. */
  readonly tool?: string;
  /** The commit of the tool, followed by "-dirty" if files differ from it. */
  readonly commit?: string;
  /** The arguments that run cases on the same machines again, without ids and the seed. */
  readonly again?: readonly string[];
  /** The lab, if the ends are its VMs. */
  readonly lab?: LabFacts;
  /** There where the run is a part of one that is split over several machines. */
  readonly shard?: Shard;
}

/** A retry, for a reason unrelated to the kernel under test. */
export interface Retry {
  /** What was retried: "boot", "restore", or a case with its direction. */
  readonly what: string;
  /** The reason, in one line. */
  readonly why: string;
  /** How often it was retried for that reason; once if undefined. */
  readonly times?: number;
}

/** How an end checks its kernel for leaks. */
export interface LeakFacts {
  /** What it checks. */
  readonly watched: readonly string[];
  /** How long that may take after a case, in milliseconds. */
  readonly milliseconds: number;
}

/** Identifies a run of a case in a direction. */
export interface CaseRun {
  /** Counts from 1 in every round. */
  readonly number: number;
  /** The case's id. */
  readonly id: string;
  /** The direction, which says who accepts. */
  readonly direction: Direction;
}

/** An event of a run. */
export type RunEvent =
  | RunFacts & {
    readonly type: "run-start";
    readonly topology: Topology;
    readonly seed: number;
    readonly total: number;
    readonly ends: readonly EndFacts[];
  }
  /** The beginning of a round, if there are several. */
  | {
    readonly type: "round-start";
    /** Counts from 1. */
    readonly round: number;
    /** The maximum number of rounds; undefined if only a failure ends them. */
    readonly rounds?: number;
    /** The seed, with which `--seed` repeats the round. */
    readonly seed: number;
  }
  | { readonly type: "case-start"; readonly run: CaseRun; readonly title: string }
  | {
    readonly type: "case-end";
    readonly run: CaseRun;
    readonly title: string;
    readonly verdict: Verdict;
    /** The seed, with which `--seed` repeats it, if it is neither the run's nor the round's. */
    readonly seed?: number;
  }
  /**
   * Replaces the verdict on the case that ended last: it turned out to have caused a fault that was
   * reported later.
   */
  | {
    readonly type: "case-amended";
    readonly run: CaseRun;
    readonly title: string;
    readonly verdict: Verdict;
  }
  /** May come before `run-start`: a lab boots before there is a run. */
  | Retry & { readonly type: "retry" }
  | { readonly type: "run-end"; readonly counts: Counts; readonly milliseconds: number }
  /** The only event of a run that never began. */
  | { readonly type: "run-not-started"; readonly reason: string }
  /** The run ended before the end of its plan. */
  | {
    readonly type: "run-stopped";
    readonly reason: string;
    /** The number of cases in the round without a verdict. */
    readonly notRun: number;
    /** Set if the reason is that an end was lost. */
    readonly lost?: boolean;
  };

/** Receives the events of a run, in order. */
export type EventSink = (event: RunEvent) => void;

/** Why verdicts on these kernels prove less than after a fresh boot; one line each. */
export function troubleBefore({ name, taint = 0, faultsBefore = [] }: EndFacts): string[] {
  const letters = taintsOf(taint).filter(({ isFault }) => isFault).map(({ letter }) => letter);
  return [
    ...(letters.length === 0 ? [] : [`the ${name}'s kernel is tainted: ${letters.join(", ")}`]),
    ...faultsBefore.map(([first = ""]) => `the ${name}'s kernel had reported: ${first}`),
  ];
}
