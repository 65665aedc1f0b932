/**
 * What exploring came to, as people read it.
 *
 * @module
 */
import { CALL_NAMES } from "../core/socket_call.ts";
import { DEVIATIONS } from "../model/deviations.ts";
import { RULE_IDS } from "../model/rules.ts";
import { breachText } from "./calls_text.ts";
import {
  type Exploration,
  type Finding,
  idleRules,
  neverMade,
  neverReached,
  takenDeviations,
} from "./explore.ts";
import type { Replay } from "./replay.ts";

/** Most states of which is shown what was never called in them. */
const MAX_STATES = 12;

/** A finding as people read it. */
export function storyText({ calls, played, breach, before, again, seed }: Finding): string {
  const [happened, times] = again;
  const head = `failed with seed ${seed}, shrunk from ${before} calls to ${calls.length}, ` +
    `reproduced ${happened} of ${times} times\n`;
  return head + breachText(calls, played, breach);
}

/** What came of playing a finding again. */
export function replayText({ program, happened, times, played, breach }: Replay): string {
  return `reproduced ${happened} of ${times} times\n${breachText(program.calls, played, breach)}`;
}

/** What was reached, and what never was. */
export function summaryText(exploration: Exploration): string {
  const { calls, programs, milliseconds, pairs, exposed, seed } = exploration;
  const seconds = milliseconds / 1000;
  const never = neverReached(exploration);
  const idle = idleRules(exploration);
  // Where something was found there was no time for the rest.
  const missing = exploration.finding === undefined ? [...neverMade(exploration, CALL_NAMES)] : [];
  const taken = takenDeviations(exploration);
  const lines = [
    `${calls} calls in ${programs} programs, ${seconds.toFixed(1)} s, ` +
    `${Math.round(calls / Math.max(seconds, 0.001))} a second; seed ${seed}`,
    `${RULE_IDS.length - never.length} of ${RULE_IDS.length} rules reached` +
    (never.length === 0 || exploration.finding !== undefined ? "" : `; never: ${never.join(", ")}`),
    `${exposed.size} of ${RULE_IDS.length} matter: a change would be noticed` +
    (idle.length === 0 ? "" : `; idle: ${idle.join(", ")}`),
    `${pairs.size} pairs of a state and a call made`,
    ...missing.slice(0, MAX_STATES)
      .map(([state, calls]) => `  never in "${state}": ${calls.join(", ")}`),
    ...(missing.length > MAX_STATES ? [`  and ${missing.length - MAX_STATES} states more`] : []),
    ...taken.map(([id, often]) => `${id}, ${often} times: ${DEVIATIONS[id].text}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
