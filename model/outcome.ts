/**
 * What a call may answer, as the files beside this one work it out, and whether an answer is that.
 *
 * @module
 */
import type { CallAnswer } from "../core/socket_call.ts";
import type { DeviationId } from "./deviations.ts";
import type { RuleId } from "./rules.ts";
import { type Segment, split } from "./state.ts";

/** A flag that an answer has or lacks, and by which rule. */
export interface FlagClaim {
  readonly flag: string;
  /** Undefined where it may be either. */
  readonly is: boolean | undefined;
  readonly rule: RuleId;
}

/** One answer, or a range of them, that a call may give. */
export interface Outcome {
  readonly rule: RuleId;
  /** Set where a rule is broken in a way that is known. */
  readonly deviation?: DeviationId;
  /** The errno where it fails. */
  readonly errno?: string;
  /** What it may return where it succeeds. */
  readonly least?: number;
  readonly most?: number;
  readonly flags?: readonly FlagClaim[];
  /** What is received: these bytes from the beginning, as many as there is room for. */
  readonly data?: readonly Segment[];
  /** Room for them, in bytes. */
  readonly room?: number;
  /** Why an address is wrong; undefined where it is right. */
  readonly address?: (answer: CallAnswer) => string | undefined;
  /** What the answer changes. */
  readonly then?: (answer: CallAnswer) => void;
}

/** The digest of bytes that segments stand for: what the data is, the model need not know. */
export type DigestOf = (segments: readonly Segment[]) => number;

/** A failure with that errno. */
export function fails(rule: RuleId, errno: string): Outcome {
  return { rule, errno };
}

/** A success that returns 0. */
export function succeeds(rule: RuleId, then?: Outcome["then"]): Outcome {
  return { rule, least: 0, most: 0, ...(then === undefined ? {} : { then }) };
}

/**
 * What is wrong with an answer in the eyes of an outcome, each with the rule that it breaks; nothing
 * where it is what the outcome says.
 */
export function wrongBy(
  outcome: Outcome,
  answer: CallAnswer,
  digestOf: DigestOf,
): { rule: RuleId; why: string }[] {
  const { rule, errno, least = 0, most = 0, flags = [], data, room = 0, address } = outcome;
  if (errno !== undefined || answer.errno !== undefined) {
    return errno === answer.errno ? [] : [{ rule, why: resultText(outcome) }];
  }
  const wrong = [];
  if (answer.result < least || answer.result > most) wrong.push({ rule, why: resultText(outcome) });
  for (const claim of flags) {
    const has = answer.flags?.includes(claim.flag) ?? false;
    if (claim.is === undefined || claim.is === has) continue;
    wrong.push({ rule: claim.rule, why: claim.is ? claim.flag : `no ${claim.flag}` });
  }
  const why = address?.(answer);
  if (why !== undefined) wrong.push({ rule, why });
  if (wrong.length > 0 || data === undefined) return wrong;
  const stored = split(data, Math.min(answer.result, room))[0];
  const digest = stored.length === 0 ? undefined : digestOf(stored);
  return digest === answer.digest ? [] : [{ rule, why: "the bytes that were sent" }];
}

/** An outcome as a person reads it. */
export function outcomeText(outcome: Outcome): string {
  const { flags = [] } = outcome;
  const shown = flags.filter(({ is }) => is !== false)
    .map(({ flag, is }) => is === undefined ? `(${flag})` : flag);
  const text = [resultText(outcome), ...shown].join(" ");
  return `${text} by ${outcome.deviation ?? outcome.rule}`;
}

function resultText({ errno, least = 0, most = 0, address }: Outcome): string {
  if (errno !== undefined) return errno;
  if (address !== undefined) return "its address";
  return least === most ? `${least}` : `${least} to ${most}`;
}

/**
 * An outcome as a wrong rule would have it: what exploring must expose, or else nothing depends on
 * the rule.
 */
export function mutated(outcome: Outcome, rule: RuleId): Outcome {
  const { flags, address } = outcome;
  const changed = flags === undefined ? outcome : {
    ...outcome,
    flags: flags.map((claim) =>
      claim.rule === rule && claim.is !== undefined ? { ...claim, is: !claim.is } : claim
    ),
  };
  if (outcome.rule !== rule || outcome.deviation !== undefined) return changed;
  if (outcome.errno !== undefined) return { ...changed, errno: "EIO" };
  if (address !== undefined) return { ...changed, address: () => "another address" };
  if (outcome.then === undefined && outcome.flags !== undefined) return changed;
  return { ...changed, least: (outcome.most ?? 0) + 1, most: (outcome.most ?? 0) + 1 };
}
