/**
 * What exploring came to, as people read it.
 *
 * @module
 */
import { answerText, CALL_NAMES, callText } from "../core/socket_call.ts";
import { DEVIATIONS } from "../model/deviations.ts";
import { RULE_IDS, RULES } from "../model/rules.ts";
import {
  type Exploration,
  type Finding,
  neverMade,
  neverReached,
  takenDeviations,
} from "./explore.ts";

/** A finding as numbered lines: each call, its answer, and at the last what the rules allow. */
export function storyText({ calls, played, breach, before, again, seed }: Finding): string {
  const [happened, times] = again;
  const lines = calls.slice(0, breach.at + 1).map((call, i) => {
    const answer = played.answers[i];
    const shown = answer === undefined ? "" : ` = ${answerText(answer)}`;
    return `${String(i + 1).padStart(3)}. ${callText(call)}${shown}`;
  });
  const rules = breach.rules.map((id) => `     ${id}: ${RULES[id].text}`);
  return [
    `found with seed ${seed}, made smaller from ${before} calls to ${calls.length}; ` +
    `${happened} of ${times} times again`,
    ...lines,
    ...(played.stalled === undefined ? [] : [`     then what was sent: ${played.stalled}`]),
    `     allowed: ${breach.allowed.join(", or ")}`,
    ...rules,
  ].map((line) => `${line}\n`).join("");
}

/** What was reached, and what never was. */
export function summaryText(exploration: Exploration): string {
  const { calls, programs, milliseconds, pairs, seed } = exploration;
  const seconds = milliseconds / 1000;
  const never = neverReached(exploration);
  const missing = [...neverMade(exploration, CALL_NAMES)];
  const taken = takenDeviations(exploration);
  const lines = [
    `${calls} calls in ${programs} programs, ${seconds.toFixed(1)} s, ` +
    `${Math.round(calls / Math.max(seconds, 0.001))} a second; seed ${seed}`,
    `${RULE_IDS.length - never.length} of ${RULE_IDS.length} rules reached` +
    (never.length === 0 ? "" : `; never: ${never.join(", ")}`),
    `${pairs.size} pairs of a state and a call made`,
    ...missing.map(([state, calls]) => `  never in "${state}": ${calls.join(", ")}`),
    ...taken.map(([id, often]) => `${id}, ${often} times: ${DEVIATIONS[id].text}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
