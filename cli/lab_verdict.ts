/**
 * The command `lab verdict`: whether a kernel is good or bad, with the exit codes that `git bisect
 * run` expects (git-bisect(1)).
 *
 * @module
 */
import { shellText } from "../report/run_facts.ts";
import { writeStderr } from "../report/screen.ts";
import { BISECT_EXIT, bisectCode } from "./bisect_code.ts";
import { labProcess } from "./lab_process.ts";
import { interruptible } from "./signals.ts";

/** What is said of each exit code but the last. */
const WORDS = { 0: "good", 1: "bad", 125: "cannot tell" } as const;

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
