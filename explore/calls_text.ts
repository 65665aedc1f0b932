/**
 * Calls and answers as people read them: numbered lines.
 *
 * @module
 */
import type { Played } from "../control/puppet_wire.ts";
import { answerText, programTexts, type SocketCall } from "../core/socket_call.ts";
import { RULES } from "../model/rules.ts";
import type { Breach } from "./judge.ts";

/** A program of which nothing more is known, as numbered lines. */
export function programText(calls: readonly SocketCall[]): string {
  return breachText(calls, { answers: [] });
}

/** A program and its answers, as far as there are any. */
export function playedText(calls: readonly SocketCall[], answers: Played["answers"]): string {
  return breachText(calls, { answers });
}

/** Numbered lines: each call, its answer, and at the last what the rules allow. */
export function breachText(
  calls: readonly SocketCall[],
  { answers, stalled }: Played,
  breach?: Breach,
): string {
  const texts = programTexts(calls).slice(0, (breach?.at ?? calls.length) + 1);
  const lines = texts.map((text, i) => {
    const answer = answers[i];
    const shown = answer === undefined ? "" : ` = ${answerText(answer)}`;
    return `${String(i + 1).padStart(3)}. ${text}${shown}`;
  });
  if (stalled !== undefined) lines.push(`     and a request behind that: ${stalled}`);
  if (breach !== undefined) {
    lines.push(`     allowed: ${breach.allowed.join(", or ")}`);
    lines.push(...breach.rules.map((id) => `     ${id}: ${RULES[id].text}`));
  }
  return lines.map((line) => `${line}\n`).join("");
}
