/**
 * The README's commands on fresh machines: in either order, since one may break what the other needs.
 *
 * @module
 */
import type { Progress } from "../../lab/progress.ts";
import type { MovedArchive } from "./archive.ts";
import type { DebianSites, Release } from "./base.ts";
import { differences } from "./contents.ts";
import { type Ended, FreshMachine, type Who } from "./machine.ts";
import { duration } from "../../core/duration.ts";

/** A machine, and who works on it. */
export interface Setting {
  readonly release: Release;
  readonly who: Who;
}

/** What the machines have in common. */
export interface TrialOptions {
  readonly commit: string;
  /** Where Debian is today. */
  readonly upstream: DebianSites;
  /** What the machines see instead. */
  readonly archive: MovedArchive | undefined;
}

/** What one command did on one machine. */
export interface Trial extends Setting {
  readonly command: string;
  /** Which of the commands on its machine it was, and on a machine with package lists or without. */
  readonly place: string;
  readonly milliseconds: number;
  readonly first: number | undefined;
  /** What was wrong; undefined where it passed. */
  readonly complaint: string | undefined;
}

/** A command, restricted to what takes little time. */
interface Command {
  readonly name: string;
  readonly args: string;
  /** The first line that is a verdict, or a figure. */
  readonly verdict: RegExp;
}

/** The README's first: a host and its guest. */
const CONFORMANCE: Command = {
  name: "conformance",
  args: "task conformance --direction host-server 'stream/close/*'",
  verdict: /^ +(pass|warn|skip|fail|timeout|broken) /m,
};
/** Parts of its second that need the kernel's C programs, and ours. */
const CROSS: Command = {
  name: "cross",
  args: "run -A cli.ts lab interop --topology loopback diag/dump/lists-listener",
  verdict: /^diag\/dump\/lists-listener .*ok/m,
};
const COMPARE: Command = {
  name: "compare",
  args: "run -A cli.ts perf compare --rounds 1 --bytes 8M --requests 500",
  verdict: /^median of .*\n\S/m,
};

/** How long a command may take, in milliseconds. */
const LIMIT = 900_000;
/** Lines of a command that failed, and of what it changed, that are shown. */
const SHOWN = 40;
/** Settings of apt for an archive that is not Debian's own. */
const APT_CONFIG = 'Acquire::Check-Valid-Until "false";\n';

/** Whose turn it is with a commit. */
export function turnOf<T>(all: readonly T[], commit: string): T {
  const turn = all[Number.parseInt(commit.slice(0, 8), 16) % all.length];
  if (turn === undefined) throw new RangeError(`no turn for ${commit}`);
  return turn;
}

/**
 * Tries all commands, one machine after the other.
 *
 * @param firsts tries the README's first command alone instead, so many times on each machine, which
 * is a new one every time.
 */
export async function tryAll(
  settings: readonly Setting[],
  options: TrialOptions,
  progress: Progress,
  firsts?: number,
): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const setting of settings) {
    if (firsts !== undefined) {
      for (let i = 0; i < firsts; i++) {
        trials.push(...await tryOn(setting, [CONFORMANCE], false, options, progress));
      }
      continue;
    }
    // One that was installed has package lists, one from a container's image has none.
    trials.push(...await tryOn(setting, [CONFORMANCE, CROSS], true, options, progress));
    trials.push(...await tryOn(setting, [COMPARE, CONFORMANCE], false, options, progress));
  }
  return trials;
}

async function tryOn(
  setting: Setting,
  commands: readonly Command[],
  hasLists: boolean,
  { commit, upstream, archive }: TrialOptions,
  progress: Progress,
): Promise<Trial[]> {
  const { release, who } = setting;
  await using machine = await FreshMachine.make({
    ...{ release, who, commit, hasLists, upstream },
    sites: archive?.sites ?? upstream,
    aptConfig: archive === undefined ? "" : APT_CONFIG,
    certificate: archive?.certificate,
  }, progress);
  const trials: Trial[] = [];
  for (const { name, args, verdict } of commands) {
    const command = `npx -y ${await machine.deno()} ${args}`;
    const before = await machine.contents();
    const text = `${release} as ${who}, ${name}`;
    progress.log(`${text}: ${command}`);
    const ended = await progress.phase(name, text, () => machine.run(command, LIMIT, verdict));
    const [parts] = /first verdict after .*/.exec(ended.text) ?? [];
    if (parts !== undefined) progress.log(`${text}: ${parts}`);
    const changes = differences(before, await machine.contents());
    const complaint = complaintOf(ended, changes);
    if (complaint !== undefined) progress.log(`${text}: ${complaint}`);
    const { milliseconds, first } = ended;
    const place = `${trials.length + 1}, ${hasLists ? "lists" : "no lists"}`;
    trials.push({ ...setting, command: name, place, milliseconds, first, complaint });
  }
  return trials;
}

function complaintOf({ code, text, first }: Ended, changes: readonly string[]): string | undefined {
  const complaints: string[] = [];
  if (code !== 0) {
    const how = code === null ? `had not ended after ${LIMIT / 1000} s` : `ended with ${code}`;
    // What npm and Deno fetch says nothing.
    const lines = text.split("\n").map((line) => line.trimEnd())
      .filter((line) => !/^(Download .*)?$/.test(line));
    complaints.push(`it ${how}; the end of what it wrote:`, ...lines.slice(-SHOWN).map(quoted));
  } else if (first === undefined) complaints.push("it ended well without a verdict");
  if (changes.length > 0) {
    const more = changes.length > SHOWN ? [`  ... and ${changes.length - SHOWN} more`] : [];
    const isPackage = (line: string) => / package /.test(line);
    const sorted = [...changes.filter(isPackage), ...changes.filter((line) => !isPackage(line))];
    const shown = sorted.slice(0, SHOWN).map(quoted);
    complaints.push(`it changed ${changes.length} things outside the cache:`, ...shown, ...more);
  }
  return complaints.length === 0 ? undefined : complaints.join("\n");
}

function quoted(line: string): string {
  return `  | ${line}`;
}

/** The median (of an even number the later one) and the worst of the times to a first verdict. */
export function firstVerdicts(trials: readonly Pick<Trial, "first">[]): string {
  const times = trials.flatMap(({ first }) => first ?? []).sort((a, b) => a - b);
  const [median, worst] = [times[Math.floor(times.length / 2)], times.at(-1)];
  if (median === undefined || worst === undefined) return "no first verdict\n";
  const figures = `median ${duration(median)}, worst ${duration(worst)}`;
  return `first verdicts: ${times.length} of ${trials.length}, ${figures}\n`;
}

/** The trials as a table. */
export function tableOf(trials: readonly Trial[]): string {
  const head = ["release", "who", "command", "place", "first verdict", "whole", "result"];
  const rows = trials.map((trial) => [
    ...[trial.release, trial.who, trial.command, trial.place],
    trial.first === undefined ? "-" : duration(trial.first),
    duration(trial.milliseconds),
    trial.complaint === undefined ? "ok" : `FAILED: ${trial.complaint.split("\n")[0]}`,
  ]);
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all.map((row) =>
    `${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd()}\n`
  ).join("");
}
