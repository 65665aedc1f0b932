/**
 * What a run was made with and on, so that it can be repeated: the tool, the machines, the command
 * for one case, and what had to be done again.
 *
 * @module
 */
import type { EndFacts, Retry, RunFacts, VmFacts } from "../core/event.ts";
import { NOTHING_LEFT } from "../core/parallel_leaks.ts";
import { taintText } from "../core/taint.ts";
import type { ReportedCase, RunReport } from "./model.ts";

/** Something that was done again, as a line. */
export function retryText({ what, why, times = 1 }: Retry): string {
  return `${what}${times === 1 ? "" : `, ${times} times`}: ${why}`;
}

/** Most lines that are quoted of a fault behind the telling one. */
const MAX_QUOTED = 8;

/** What must be known before any verdict is believed: how a kernel was before the first case. */
export function warningsOf(ends: readonly EndFacts[]): string[] {
  return ends.flatMap(({ name, taint = 0, faultsBefore = [] }) => [
    ...(taint === 0 ? [] : [`${name}: its kernel was tainted before the run: ${taintText(taint)}`]),
    ...faultsBefore.flatMap(([first = "", ...rest]) => [
      `${name}: before the first case its kernel had reported: ${first}`,
      ...rest.slice(0, MAX_QUOTED).map((line) => `| ${line}`),
    ]),
  ]);
}

/** A name and what it is. */
export type Fact = readonly [name: string, value: string];

/** What made a run and what it ran on, each fact with a name of its own. */
export function factList({ ends, ...run }: RunFacts & Pick<RunReport, "ends">): Fact[] {
  const { tool, commit, lab } = run;
  return known([
    ["tool", tool === undefined ? undefined : `vsock-conformance ${tool}`],
    ["commit", commit],
    ["lab.kernel", lab?.kernel],
    ["lab.config", configText(lab?.config)],
    ...(lab?.vms ?? []).flatMap(vmFacts),
    ...ends.flatMap(endFacts),
  ]);
}

/** What an end says of its machine, apart from what the line that names it has, and a warning. */
export function endFacts({ name, uname, commandLine, config, taint }: EndFacts): Fact[] {
  return known([
    [`${name}.uname`, uname],
    [`${name}.cmdline`, commandLine],
    [`${name}.config`, configText(config)],
    [`${name}.tainted`, taint === 0 ? "no" : undefined],
  ]);
}

/** What an end's VM is, as whoever started it knows. */
export function vmFacts({ name, accelerator, qemu, command, console }: VmFacts): Fact[] {
  return known([
    [`${name}.vm.qemu`, qemu],
    [`${name}.vm.accelerator`, accelerator],
    [`${name}.vm.command`, command === undefined ? undefined : shellText(command)],
    [`${name}.vm.console`, console],
  ]);
}

function configText(config: EndFacts["config"]): string | undefined {
  return config === undefined ? undefined : `${config.path}, SHA-256 ${config.sha256}`;
}

function known(facts: readonly (readonly [string, string | undefined])[]): Fact[] {
  return facts.flatMap(([name, value]) => value === undefined ? [] : [[name, value]]);
}

/** The command that runs a case as it ran here; undefined where a report does not say how. */
export function againText(
  { again, seed = 0 }: Partial<Pick<RunReport, "again" | "seed">>,
  entry: Pick<ReportedCase, "id" | "direction"> & { readonly seed?: number | undefined },
): string | undefined {
  const { id, direction, seed: own = seed } = entry;
  // That one comes with what runs in parallel, and cannot be chosen.
  if (again === undefined || id === NOTHING_LEFT.id) return undefined;
  const one = direction === "loopback" ? [] : ["--direction", direction];
  return shellText(["vsock-conformance", ...again, ...one, "--seed", `${own}`, id]);
}

/** Words as a shell takes them. */
export function shellText(words: readonly string[]): string {
  return words.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
  ).join(" ");
}
