/**
 * What happens in a run, as one stream of events that every output is made from.
 *
 * @module
 */
import type { Direction, Topology } from "./plan.ts";
import type { Counts, Verdict } from "./outcome.ts";
import type { Shard } from "./shard.ts";
import type { Splat } from "./splat.ts";
import { taintsOf } from "./taint.ts";

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
  /** uname -srvm: also which build of that version it is. */
  readonly uname?: string;
  /** /proc/cmdline: what the kernel was booted with. */
  readonly commandLine?: string;
  /** How the kernel was configured, where that can be read. */
  readonly config?: ConfigFacts;
  /** /proc/sys/kernel/tainted before the first case; core/taint.ts says what it means. */
  readonly taint?: number;
  /** Faults that the kernel's log held before the first case; missing where there were none. */
  readonly faultsBefore?: readonly Splat[];
}

/** A kernel's configuration. */
export interface ConfigFacts {
  /** The file that was read, on the machine that says so. */
  readonly path: string;
  /** SHA-256 of its text, uncompressed, in hexadecimal. */
  readonly sha256: string;
}

/** A VM of a lab, as whoever started it knows it. */
export interface VmFacts {
  /** The end that is in it: "host", "guest" or "loopback". */
  readonly name: string;
  /** How its processors come about: "kvm" or a kind of emulation. */
  readonly accelerator?: string;
  /** What `qemu --version` says, its first line. */
  readonly qemu?: string;
  /** The program and its arguments. */
  readonly command?: readonly string[];
  /** The file that its serial console is written to. */
  readonly console?: string;
}

/** What a lab's cases ran on. */
export interface LabFacts {
  /** The kernel, as the user named it. */
  readonly kernel: string;
  /** Its configuration, where the lab knows it and the VMs do not. */
  readonly config?: ConfigFacts;
  /** Its VMs, the outer one first. */
  readonly vms: readonly VmFacts[];
}

/** What made a run and what it ran on, besides what its ends say of themselves. */
export interface RunFacts {
  /** The version of the tool. */
  readonly tool?: string;
  /** The commit of the tool, with "-dirty" behind it where files differ from that. */
  readonly commit?: string;
  /** The arguments that run cases on the same again, but for their ids and the seed. */
  readonly again?: readonly string[];
  /** There where the ends are VMs of a lab. */
  readonly lab?: LabFacts;
  /** There where the run is a part of one that is split over several machines. */
  readonly shard?: Shard;
}

/** Something that was done again, since what it needed had failed, and not what is tried. */
export interface Retry {
  /** What: "boot", "restore", or a case with its direction. */
  readonly what: string;
  /** What had gone wrong, in one line. */
  readonly why: string;
  /** How often it was done again for that; once where this is missing. */
  readonly times?: number;
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
  | RunFacts & {
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
    /** Repeats it with `--seed`, where that is another than the run's and no round says which. */
    readonly seed?: number;
  }
  /**
   * Takes the place of the verdict on the case that had ended last: it turned out to be to blame for
   * a fault that came to light only then.
   */
  | {
    readonly type: "case-amended";
    readonly run: CaseRun;
    readonly title: string;
    readonly verdict: Verdict;
  }
  /** Comes before `run-start`, too: a lab boots before there is a run. */
  | Retry & { readonly type: "retry" }
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

/** Why a kernel's verdicts prove less than those of one that has just booted; one line each. */
export function troubleBefore({ name, taint = 0, faultsBefore = [] }: EndFacts): string[] {
  const letters = taintsOf(taint).filter(({ isFault }) => isFault).map(({ letter }) => letter);
  return [
    ...(letters.length === 0 ? [] : [`the ${name}'s kernel is tainted: ${letters.join(", ")}`]),
    ...faultsBefore.map(([first = ""]) => `the ${name}'s kernel had reported: ${first}`),
  ];
}
