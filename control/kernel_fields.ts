/**
 * The optional fields about the kernel in a side's report: those that are malformed are dropped.
 *
 * @module
 */
import type { Held } from "../core/leak_check.ts";
import type { SideReport } from "../core/outcome.ts";
import type { Harm } from "../core/taint.ts";

/** The maximum length of a text in characters, and the maximum number of texts in a list. */
const MAX_TEXT = 400;
const MAX_LIST = 40;

/** Takes the fields from a report that was parsed as JSON. */
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
