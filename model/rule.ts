/**
 * What a rule is.
 *
 * @module
 */
import type { Reference } from "../core/case.ts";

/** A rule. */
export interface Rule {
  /** One sentence that says MUST, SHOULD or MAY. */
  readonly text: string;
  readonly refs: readonly Reference[];
}
