/**
 * Detects leaks of cases that run in parallel, for all of them together, since there is no way to
 * tell which case leaked.
 *
 * @module
 */
import { type Case, type CaseInfo, kernel } from "./case.ts";
import type { CaseRun } from "./event.ts";
import type { Verdict } from "./outcome.ts";

const LOOKS = "checks what its kernel still holds of the cases that ran in parallel";

/**
 * A pseudo-case after the cases of a direction that run in parallel, with a verdict of its own: an
 * end that runs it only checks for leaks.
 */
export const NOTHING_LEFT: CaseInfo & Pick<Case<never>, "does"> = {
  id: "side-by-side/leaks/nothing-left",
  title: "nothing is left of the cases that ran in parallel",
  requirement: "a kernel MUST free what closed sockets held",
  refs: [kernel("vsock_sk_destruct")],
  alone: "it checks what the others have left",
  does: {
    client: LOOKS,
    server: LOOKS,
  },
};

/**
 * The cases to run, followed by the leak check if some of them run in parallel.
 *
 * @param checksLeaks whether an end checks for leaks.
 */
export function withLeakCheck(
  cases: readonly CaseInfo[],
  jobs: number,
  checksLeaks: boolean,
): readonly CaseInfo[] {
  const together = jobs > 1 && cases.some(({ alone }) => alone === undefined);
  return together && checksLeaks ? [...cases, NOTHING_LEFT] : cases;
}

/** The cases that have ended without their own leak check. */
export class Unchecked {
  #runs: CaseRun[] = [];

  /**
   * Adds a case that has ended.
   *
   * @param parallel whether it ran with others; one that ran alone is checked, unless a process
   * died.
   */
  add(run: CaseRun, { outcome, sides }: Verdict, parallel: boolean): void {
    const died = sides?.client.died ?? sides?.server.died ?? false;
    if (!parallel) this.#runs = died ? [run] : [];
    else if (outcome !== "skip") this.#runs.push(run);
  }

  /**
   * Judges the leak check.
   *
   * @param found the verdict of {@linkcode NOTHING_LEFT}.
   * @param died whether a process died while the cases ran.
   * @returns the verdict, which lists the cases if something leaked.
   */
  check({ direction }: CaseRun, found: Verdict, died: boolean): Verdict {
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

const WHOSE =
  "left by one of these, which were not checked one by one; a run without --jobs tells which:";
const NOTHING_RAN = "no case ran that could have leaked anything";
const FORGOTTEN = "a process died while the cases ran: what they had leaked until then is unknown";
