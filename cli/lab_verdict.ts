/**
 * The command `lab verdict`: whether a kernel is good or bad, with the exit codes that `git bisect
 * run` expects (git-bisect(1)).
 *
 * @module
 */
import type { Outcome } from "../core/outcome.ts";
import { type RunReport, verdictsOf } from "../report/model.ts";
import { shellText } from "../report/run_facts.ts";
import { writeStderr } from "../report/screen.ts";
import { labProcess } from "./lab_process.ts";
import { interruptible } from "./signals.ts";

/** The exit codes of `git bisect run`. */
export const BISECT_EXIT = {
  good: 0,
  bad: 1,
  /** It cannot be tested: git skips the commit. */
  unknown: 125,
  /** It makes no sense to go on: git stops. */
  stop: 128,
} as const;

/** What is said of each exit code but the last. */
const WORDS = { 0: "good", 1: "bad", 125: "cannot tell" } as const;

const BAD: ReadonlySet<Outcome> = new Set(["fail", "timeout", "warn"]);
const GOOD: ReadonlySet<Outcome> = new Set(["pass", "retried"]);

/**
 * What a report says of its kernel: bad where a claim failed, a SHOULD too; good where all that ran
 * passed; otherwise unknown: nothing ran, or something was broken.
 */
export function bisectCode(report: RunReport): 0 | 1 | 125 {
  const outcomes = verdictsOf(report).map(({ outcome }) => outcome);
  if (outcomes.some((outcome) => BAD.has(outcome))) return BISECT_EXIT.bad;
  const isWhole = report.stopped === undefined && report.notStarted === undefined;
  const judged = outcomes.filter((outcome) => outcome !== "skip");
  const isGood = judged.length > 0 && judged.every((outcome) => GOOD.has(outcome));
  return isWhole && isGood ? BISECT_EXIT.good : BISECT_EXIT.unknown;
}

/**
 * Runs a lab, and says whether its kernel is good.
 *
 * @param args the arguments of `lab`, cases and options.
 * @returns an exit code of {@linkcode BISECT_EXIT}, or 128 plus the number of a signal.
 */
export function labVerdict(args: readonly string[]): Promise<number> {
  return interruptible(async (stop) => {
    const folder = await Deno.makeTempDir({ prefix: "vsock-verdict-" });
    try {
      const { code, report, isWritten } = await labProcess(args, `${folder}/run.json`, stop);
      // Without a report the arguments are wrong, and they will be for the next commit, too.
      if (!isWritten) return BISECT_EXIT.stop;
      const verdict = bisectCode(report);
      writeStderr(`verdict: ${WORDS[verdict]} (lab ${shellText(args)}: ${code})\n`);
      return verdict;
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
