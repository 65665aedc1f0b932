/**
 * Judges what became of a program by the model.
 *
 * @module
 */
import type { CallName, MachineName, SocketCall } from "../core/socket_call.ts";
import { digestOf, patternBytes } from "../control/pattern.ts";
import type { Played } from "../control/puppet_wire.ts";
import { Model, type ModelOptions } from "../model/model.ts";
import type { DeviationId } from "../model/deviations.ts";
import type { RuleId } from "../model/rules.ts";
import { lengthOf, type Segment } from "../model/state.ts";

/** What a call was found to be. */
export interface Step {
  readonly call: CallName;
  readonly state: string;
  /** The machine that listens, where there are two. */
  readonly server?: MachineName | undefined;
  readonly rules: readonly RuleId[];
  readonly deviation?: DeviationId;
}

/** An answer that the rules do not allow. */
export interface Breach {
  /** Which call of the program it is. */
  readonly at: number;
  /** The rules that it breaks. */
  readonly rules: readonly RuleId[];
  /** The machine that listens, where there are two. */
  readonly server?: MachineName | undefined;
  /** What would have been allowed, and by which rule. */
  readonly allowed: readonly string[];
}

/** What became of a program in the eyes of the model. */
export interface Verdict {
  readonly steps: readonly Step[];
  readonly breach?: Breach;
}

/** The digest of the bytes that segments stand for. */
export function segmentsDigest(segments: readonly Segment[]): number {
  const bytes = new Uint8Array(new ArrayBuffer(lengthOf(segments)));
  let at = 0;
  for (const { pattern, from, to } of segments) {
    bytes.set(patternBytes(pattern, to).subarray(from), at);
    at += to - from;
  }
  return digestOf(bytes);
}

/** Judges each answer, up to the first that is not allowed. */
export function judge(
  calls: readonly SocketCall[],
  { answers, stalled }: Played,
  options: Omit<ModelOptions, "digestOf"> = {},
): Verdict {
  const model = new Model({ ...options, digestOf: segmentsDigest });
  const steps: Step[] = [];
  for (const [at, call] of calls.entries()) {
    const answer = answers[at];
    if (answer === undefined) break;
    const { state, rules, deviation, breach, server } = model.judge(call, answer);
    if (breach !== undefined) return { steps, breach: { at, server, ...breach } };
    steps.push({
      call: call.call,
      state,
      server,
      rules,
      ...(deviation === undefined ? {} : { deviation }),
    });
  }
  if (stalled === undefined && options.mutant !== "soon/arrives") return { steps };
  const at = Math.max(0, answers.length - 1);
  const allowed = ["that what it sends arrives within 2 s by soon/arrives"];
  return { steps, breach: { at, rules: ["soon/arrives"], allowed } };
}
