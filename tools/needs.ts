/**
 * Programs of this machine that tests call, and what is said where one is not there: that is one
 * failure, whatever number of tests cannot be run for it.
 *
 * @module
 */
import type { TestCounts } from "./tally.ts";

/** What some test files need. */
interface Need {
  /** How their paths begin. */
  readonly files: readonly string[];
  readonly programs: readonly string[];
  /** What to do where one of the programs is missing. */
  readonly advice: string;
}

/** All that is not on every Linux with coreutils and Node.js. */
export const NEEDS: readonly Need[] = [
  {
    files: ["tests/vm/"],
    programs: ["apt-get", "apt-cache", "apt-config", "dpkg-deb"],
    advice: "the lab's programs and kernels are Debian packages: use a machine with Debian",
  },
  {
    files: ["tests/docs_ci_test.ts", "tests/vm/docs_ci_test.ts", "cli/completions/words_test.ts"],
    programs: ["bash"],
    advice: "install bash",
  },
  { files: ["cli/commit_test.ts"], programs: ["git"], advice: "install git" },
  {
    files: ["cli/output_file_test.ts"],
    programs: ["unshare", "setpriv", "mount"],
    advice: "install util-linux and mount",
  },
];

/** Test files that can be run, and how those have ended that cannot. */
export interface Sorted {
  readonly files: readonly string[];
  readonly counts: TestCounts;
}

/** Sorts out the test files for which this machine lacks a program. */
export async function sortOut(
  files: readonly string[],
  isThere: (program: string) => Promise<boolean>,
  needs: readonly Need[] = NEEDS,
): Promise<Sorted> {
  const failures: string[] = [];
  const ignored = new Map<string, string>();
  for (const need of needs) {
    const concerned = files.filter((file) => need.files.some((path) => file.startsWith(path)));
    if (concerned.length === 0) continue;
    for (const program of need.programs) {
      if (await isThere(program)) continue;
      failures.push(`${program}: it is not on this machine; ${need.advice}`);
      for (const file of concerned) ignored.set(file, `${file}: needs ${program}`);
    }
  }
  return {
    files: files.filter((file) => !ignored.has(file)),
    counts: { passed: 0, failed: failures.length, failures, ignored: [...ignored.values()] },
  };
}

/** Whether a program is in one of the folders of PATH. */
export async function isOnPath(program: string): Promise<boolean> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    const info = await Deno.stat(`${folder}/${program}`).catch(() => undefined);
    if (info?.isFile && ((info.mode ?? 0) & 0o111) !== 0) return true;
  }
  return false;
}
