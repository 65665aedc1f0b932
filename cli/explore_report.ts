/**
 * What exploring came to as the report of a run: each rule of the model is a case, which passes where
 * all answers that it decided are allowed, and is skipped where there were none.
 *
 * @module
 */
import type { CaseInfo } from "../core/case.ts";
import type { EndFacts, EventSink, RunFacts } from "../core/event.ts";
import { countOutcomes, type Outcome, type Verdict } from "../core/outcome.ts";
import { type Direction, directionsOf, type Planned, type Topology } from "../core/plan.ts";
import type { Splat } from "../core/splat.ts";
import { type Exploration, takenDeviations } from "../explore/explore.ts";
import { storyText } from "../explore/story.ts";
import { DEVIATIONS } from "../model/deviations.ts";
import { RULE_IDS, type RuleId, RULES } from "../model/rules.ts";

/** What is reported, and of which machines. */
export interface Explored {
  readonly found: Exploration;
  readonly topology: Topology;
  readonly ends: readonly EndFacts[];
  /** What the kernels reported meanwhile. */
  readonly splats: readonly Splat[];
  readonly facts: RunFacts;
}

/** A case and how it ended. */
interface Ended extends Planned {
  readonly verdict: Verdict;
}

/** The plan of an exploration, before it is known which deviations will be met. */
export function rulesPlan(topology: Topology): Planned[] {
  return directionsOf(topology, "both").flatMap((direction) =>
    RULE_IDS.map((id) => ({ case: ruleCase(id), direction }))
  );
}

/** The cases of an exploration. */
export function exploredCases(explored: Explored): Ended[] {
  return directionsOf(explored.topology, "both").flatMap((direction) => [
    ...RULE_IDS.map((id) => ({
      case: ruleCase(id),
      direction,
      verdict: ruleVerdict(explored.found, id, direction),
    })),
    ...deviationCases(explored.found, direction),
    kernelCase(explored.splats, direction),
  ]);
}

/** Tells of them as of a run. */
export function tellExplored(explored: Explored, cases: readonly Ended[], sink: EventSink): void {
  const { found: { seed, milliseconds }, topology, ends, facts } = explored;
  sink({ type: "run-start", topology, seed, total: cases.length, ends, ...facts });
  cases.forEach(({ case: { id, title }, direction, verdict }, i) => {
    const run = { number: i + 1, id, direction };
    sink({ type: "case-start", run, title });
    sink({ type: "case-end", run, title, verdict });
  });
  const counts = countOutcomes(cases.map(({ verdict }) => verdict));
  sink({ type: "run-end", counts, milliseconds: Math.round(milliseconds) });
}

function ruleCase(id: RuleId): CaseInfo {
  const { text, refs } = RULES[id];
  return { id: `model/${id}`, title: `explore: ${id}`, requirement: text, refs };
}

function ended(outcome: Outcome, ...reasons: readonly string[]): Verdict {
  return { outcome, reasons, milliseconds: 0 };
}

/** The end that listens in a direction; undefined where there is only one. */
const SERVERS = { "host-server": "host", "guest-server": "guest", loopback: undefined } as const;

function ruleVerdict(found: Exploration, id: RuleId, direction: Direction): Verdict {
  const { finding, rules, served } = found;
  const server = SERVERS[direction];
  const isThere = finding?.breach.server === undefined || finding.breach.server === server;
  if (finding?.breach.rules.includes(id) && isThere) {
    return ended("fail", ...storyText(finding).trimEnd().split("\n"));
  }
  const all = server === undefined || id === "soon/arrives" ? rules : served[server];
  return all.has(id) ? ended("pass") : ended("skip", "no call came to it");
}

/** Known deviations that were met fail as a baseline says; they have no direction of their own. */
function deviationCases(found: Exploration, direction: Direction): Ended[] {
  if (direction === "guest-server") return [];
  return takenDeviations(found).map(([id, often]) => {
    const { text, cause, refs } = DEVIATIONS[id];
    const info = {
      id: `model/deviation/${id.toLowerCase().replaceAll(".", "-")}`,
      title: `explore: known deviation ${id}`,
      requirement: `A kernel MUST NOT deviate from the rules of docs/model.md. ${id}: ${text}`,
      refs,
    };
    return { case: info, direction, verdict: ended("expected-fail", `${often} times: ${cause}`) };
  });
}

function kernelCase(splats: readonly Splat[], direction: Direction): Ended {
  const info = {
    id: "model/kernel/reports-no-fault",
    title: "explore: the kernel reports no fault",
    requirement: "A kernel MUST NOT report a fault of its own, whatever is called",
    refs: [],
  };
  const lines = splats.flatMap((
    [first = "", ...rest],
  ) => [first, ...rest.map((line) => `| ${line}`)]);
  const verdict = lines.length === 0 ? ended("pass") : ended("fail", ...lines);
  return { case: info, direction, verdict };
}
