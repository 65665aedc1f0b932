/**
 * Handles amended verdicts for outputs that cannot revise what they have written.
 *
 * @module
 */
import type { EventSink, RunEvent } from "./event.ts";

/**
 * Wraps a sink so that it receives every verdict in its final form, and no amendments: the last
 * verdict and everything after it are held back until the next one arrives or the run ends.
 */
export function withAmended(sink: EventSink): EventSink {
  let held: RunEvent[] = [];
  const letGo = () => {
    held.forEach(sink);
    held = [];
  };
  return (event) => {
    const [first, ...rest] = held;
    if (event.type === "case-amended") {
      const isSame = first?.type === "case-end" && first.run.id === event.run.id &&
        first.run.direction === event.run.direction;
      if (isSame) held = [{ ...first, verdict: event.verdict }, ...rest];
      return;
    }
    if (event.type === "case-end" || event.type === "run-end") letGo();
    if (event.type === "case-end" || held.length > 0) held.push(event);
    else sink(event);
  };
}
