/**
 * Verdicts that are taken back, for outputs that cannot take anything back.
 *
 * @module
 */
import type { EventSink, RunEvent } from "./event.ts";

/**
 * A sink that is told of each verdict as it is in the end, and of no amendment: the last verdict is
 * held back, with what comes behind it, until the next one comes or the run ends.
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
