/**
 * What a side's report may say of its kernel besides faults: taken where it is of the right form, and
 * left out where it is not.
 *
 * @module
 */
import type { Held } from "../core/leak_check.ts";
import type { SideReport } from "../core/outcome.ts";
import type { Harm } from "../core/taint.ts";

/** Most characters of a text, and most of them in a list. */
const MAX_TEXT = 400;
const MAX_LIST = 40;

/** Those fields, out of a report that was read as JSON. */
export function decodeKernel(
  { harm, held }: Readonly<Record<string, unknown>>,
): Pick<SideReport, "harm" | "held"> {
  const counts = Array.isArray(held) ? held.slice(0, MAX_LIST).filter(isHeld) : [];
  return {
    ...(isHarm(harm) ? { harm: harmOf(harm) } : {}),
    ...(counts.length === 0
      ? {}
      : { held: counts.map(({ what, count, slack }) => ({ what, count, slack })) }),
  };
}

function isHeld(value: unknown): value is Held {
  const { what, count, slack } = fieldsOf(value);
  return isText(what) && Number.isSafeInteger(count) && isCount(slack);
}

function isHarm(value: unknown): value is Harm {
  const { taint, effects } = fieldsOf(value);
  return isCount(taint) && Array.isArray(effects) && effects.length <= MAX_LIST &&
    effects.every(isText);
}

function harmOf({ taint, effects, lasting }: Harm): Harm {
  return { taint, effects, ...(lasting === true ? { lasting } : {}) };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}
