/**
 * A column of a matrix: an implementation that was tested, as one report tells of it.
 *
 * @module
 */
import { oneLine } from "../../core/clean.ts";
import { knownIssueOf } from "../../core/known_issues.ts";
import { isDeniedClaim } from "../../core/baseline.ts";
import { shellText } from "../run_facts.ts";
import type { ReportedCase, RunReport } from "../model.ts";

/** What was tested, and with what. */
export interface Implementation {
  /** As the user named it: `debian:6.12`; where nothing was named, the kernel's release. */
  readonly name: string;
  /** What else distinguishes it: topology, architecture, a VMM's device. */
  readonly setting: string;
}

/** An implementation with its report. */
export interface Column extends Implementation {
  /** What tells it from the others of its matrix: the name, and the setting where that differs. */
  readonly label: string;
  /** Its report. */
  readonly report: RunReport;
  /** The kernels and machines of the ends, each once. */
  readonly machines: readonly string[];
}

/** The column of a report. */
export function columnOf(report: RunReport): Column {
  const machines = report.ends.map(({ kernel, machine }) => `Linux ${kernel} ${machine}`);
  const { name, setting } = implementationOf(report);
  return { name, setting, label: `${name}, ${setting}`, report, machines: [...new Set(machines)] };
}

/** The options of `lab` that a column's name or its setting says already. */
const SAID: readonly string[] = ["--kernel", "--topology", "--arch"];
/** Those that say how it was tested, and not what. */
const HOW: readonly string[] = [
  ...["--baseline", "--boot-timeout", "--case-timeout", "--cold", "--keep-going", "--refresh"],
  ...["--strict", "--timeout", "--peer-port", "--ktap", "--cases"],
];
/** Those of them that take no value. */
const FLAGS: readonly string[] = ["--cold", "--keep-going", "--refresh", "--strict", "--ktap"];

/** What a report is about; the same for two runs of the same thing, at different times. */
export function implementationOf(report: RunReport): Implementation {
  const { again = [], ends, topology, lab } = report;
  const isLab = again[0] === "lab";
  const words = again.flatMap((word) => {
    const [, name, value] = /^(--[\w-]+)=([^]*)$/.exec(word) ?? [];
    return name === undefined || value === undefined ? [word] : [name, value];
  });
  const valueOf = (name: string) => words[words.indexOf(name) + 1 || words.length];
  const kernel = lab?.kernel ?? (isLab ? valueOf("--kernel") ?? "debian:latest" : undefined);
  const releases = [...new Set(ends.map((end) => end.kernel))].join(", ");
  const machines = [...new Set(ends.map(({ machine }) => machine))].join(", ");
  const arch = machines === "" ? valueOf("--arch") : machines.replace("aarch64", "arm64");
  const more = isLab ? otherOptions(words.slice(1)) : shellText(again);
  const setting = [topology, arch, more].filter((part) => part !== undefined && part !== "");
  return {
    name: oneLine(kernel ?? (releases === "" ? "unknown" : `Linux ${releases}`)),
    setting: oneLine(setting.join(", ")),
  };
}

/** Options of `lab` that make it another implementation: a QEMU, modules, a device. */
function otherOptions(words: readonly string[]): string {
  const left = [...words];
  const kept: string[] = [];
  for (let word; (word = left.shift()) !== undefined;) {
    if (!word.startsWith("-")) continue;
    const hasValue = !FLAGS.includes(word) && left[0] !== undefined && !left[0].startsWith("--");
    const option = hasValue ? [word, ...left.splice(0, 1)] : [word];
    if (!SAID.includes(word) && !HOW.includes(word)) kept.push(...option);
  }
  return kept.length === 0 ? "" : shellText(kept);
}

/** The name of the known issue that a verdict shows; undefined if there is none. */
export function issueOf({ ends }: RunReport, entry: ReportedCase): string | undefined {
  const { id, direction, verdict } = entry;
  if (verdict === undefined) return undefined;
  const named = verdict.reasons.map((reason) => /^known: (K-\d+)\b/.exec(reason)?.[1])
    .find((name) => name !== undefined);
  if (named !== undefined || !isDeniedClaim(verdict)) return named;
  return knownIssueOf({ id, direction, kernels: ends.map(({ kernel }) => kernel) })?.name;
}

/** The command that repeats what a column has of a case or a family; undefined if unknown. */
export function commandOf(
  { report }: Pick<Column, "report">,
  entries: readonly ReportedCase[],
  selector: string,
): string | undefined {
  const { again, seed } = report;
  if (again === undefined || entries.length === 0) return undefined;
  const directions = new Set(entries.map(({ direction }) => direction));
  const [only = "loopback"] = directions;
  const one = directions.size > 1 || only === "loopback" ? [] : ["--direction", only];
  // A round of several has a seed of its own.
  const seeds = new Set(entries.map((entry) => entry.seed ?? seed));
  const [own = seed] = seeds.size === 1 ? seeds : [seed];
  return shellText(["vsock-conformance", ...again, ...one, "--seed", `${own}`, selector]);
}
