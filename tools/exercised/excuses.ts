/**
 * Functions that cases name and that are not entered where they are counted, and why that is right.
 *
 * @module
 */
import type { Row } from "./table.ts";

/** A reason for which a row of the table need not show that a function was entered. */
export interface Excuse {
  /** Whether it is a row's. */
  readonly applies: (row: Pick<Row, "id" | "function">) => boolean;
  /** As the table has it. */
  readonly why: string;
}

/** All there are. */
export const EXCUSES: readonly Excuse[] = [];
