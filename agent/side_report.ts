/**
 * Reports of what an agent does for a controller besides the sides of cases.
 *
 * @module
 */
import type { SideReport } from "../core/outcome.ts";

/** Makes a report, with the time since {@linkcode reporter} was called. */
export type Reporter = (state: SideReport["state"], reasons: readonly string[]) => SideReport;

/** Begins to measure the time of a report. */
export function reporter(): Reporter {
  const began = performance.now();
  return (state, reasons) => {
    const milliseconds = Math.round(performance.now() - began);
    return { state, reasons: [...reasons], step: "", milliseconds };
  };
}
