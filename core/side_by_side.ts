/**
 * Cases side by side: what is found of all of them together, since nobody knows whose it is.
 *
 * @module
 */
import { type Case, type CaseInfo, kernel } from "./case.ts";
import type { CaseRun } from "./event.ts";
import type { Verdict } from "./outcome.ts";

const LOOKS = "looks for what its kernel still holds of the cases that ran side by side";

/**
 * Stands in a plan behind the cases of a direction that run side by side, and has a verdict as they
 * have: an end that is told to run it does nothing but look for leaks.
 */
export const NOTHING_LEFT: CaseInfo & Pick<Case<never>, "does"> = {
  id: "side-by-side/leaks/nothing-left",
  title: "nothing is left of the cases that ran side by side",
  requirement: "a kernel MUST free what closed sockets held",
  refs: [kernel("vsock_sk_destruct")],
  alone: "it looks for what the others have left",
  does: {
    client: LOOKS,
    server: LOOKS,
  },
};

/**
 * The cases to run, and the look at what they leave where some of them run side by side.
 *
 * @param looks whether an end looks for leaks.
 */
export function withLook(
  cases: readonly CaseInfo[],
  jobs: number,
  looks: boolean,
): readonly CaseInfo[] {
  const together = jobs > 1 && cases.some(({ alone }) => alone === undefined);
  return together && looks ? [...cases, NOTHING_LEFT] : cases;
}

/** The cases that have ended without a look at what they left. */
export class Unseen {
  #runs: CaseRun[] = [];

  /**
   * Takes a case that has ended.
   *
   * @param beside whether it ran with others; the ends look after what runs alone, unless one of them
   *   died of it.
   */
  add(run: CaseRun, { outcome, sides }: Verdict, beside: boolean): void {
    const died = sides?.client.died ?? sides?.server.died ?? false;
    if (!beside) this.#runs = died ? [run] : [];
    else if (outcome !== "skip") this.#runs.push(run);
  }

  /**
   * Takes a look at what they left.
   *
   * @param found how {@linkcode NOTHING_LEFT} ended.
   * @param died whether a process died while they ran.
   * @returns its verdict, which names them where something is left.
   */
  look({ direction }: CaseRun, found: Verdict, died: boolean): Verdict {
    const { outcome, reasons } = found;
    const names = this.#runs.map((run) =>
      run.direction === direction ? run.id : `${run.id} (${run.direction})`
    );
    this.#runs = [];
    if (outcome === "fail") {
      return { ...found, reasons: [...reasons, WHOSE, ...names.map((name) => `| ${name}`)] };
    }
    if (outcome !== "pass") return found;
    if (died) return { ...found, outcome: "broken", reasons: [FORGOTTEN] };
    return names.length > 0 ? found : { ...found, outcome: "skip", reasons: [NOTHING_RAN] };
  }
}

const WHOSE = "of one of these, after which nobody looked; a run without --jobs says of which:";
const NOTHING_RAN = "no case ran that could have left anything";
const FORGOTTEN = "a process died while the others ran: what was left until then is not known";
