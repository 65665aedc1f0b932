/**
 * The kernel's own parser of KTAP, tools/testing/kunit, from Debian's package of its source.
 *
 * @module
 */
import { cached } from "../../lab/host/cache.ts";
import { unpackSource } from "../../lab/kernel/source.ts";
import type { Progress } from "../../lab/progress.ts";
import { programs } from "../../lab/host/toolset.ts";

/** Where it lies in the source; it does not start where its path does not end so. */
const FOLDER = "tools/testing/kunit";

/** What it says of a KTAP. */
export interface Parsed {
  /** Whether it holds that all went well. */
  readonly success: boolean;
  /** The cases, in order. */
  readonly cases: readonly (readonly [status: string, id: string])[];
  /** What it has to say against the KTAP itself. */
  readonly errors: readonly string[];
  /** How many cases had which end, by its words: `passed`, `failed`, `crashed`, ... */
  readonly counts: Readonly<Record<string, number>>;
}

/** The parser; 170 MB are downloaded for it, once. */
export class Kunit {
  readonly #python: string;
  readonly #folder: string;

  private constructor(python: string, folder: string) {
    this.#python = python;
    this.#folder = folder;
  }

  /** Finds it, or fetches it into the cache. */
  static async open(progress: Progress): Promise<Kunit> {
    const { root } = await programs("python", ["python3", "xz-utils"], progress);
    const folder = await cached(
      ["kunit"],
      async (making) => {
        const unpacked = `${making}/unpacked`;
        const env = { PATH: `${root}/usr/bin:${Deno.env.get("PATH")}` };
        const source = await unpackSource(unpacked, env, progress, [FOLDER]);
        await Deno.rename(`${source.root}/tools`, `${making}/tools`);
        await Deno.remove(unpacked, { recursive: true });
      },
      (what) => progress.log(`${what}; unpacking it again`),
      { onWait: (what) => progress.log(what) },
    );
    return new Kunit(`${root}/usr/bin/python3`, `${folder}/${FOLDER}`);
  }

  /** Has it judge a KTAP. */
  async parse(ktap: string): Promise<Parsed> {
    const file = await Deno.makeTempFile({ suffix: ".ktap" });
    try {
      await Deno.writeTextFile(file, ktap);
      const { success, stdout, stderr } = await new Deno.Command(this.#python, {
        args: ["kunit.py", "parse", file],
        cwd: this.#folder,
        env: { PYTHONDONTWRITEBYTECODE: "1" },
        stdin: "null",
      }).output();
      const decoder = new TextDecoder();
      return { success, ...parsed(decoder.decode(stdout), decoder.decode(stderr)) };
    } finally {
      await Deno.remove(file);
    }
  }
}

/** Reads what it prints. */
function parsed(printed: string, stderr: string): Omit<Parsed, "success"> {
  const lines = printed.split("\n").map((line) => line.replace(/^\[[\d:]+\] /, ""));
  const summary = /^Testing complete\. Ran \d+ tests: (.*)$/;
  const found = lines.flatMap((line) => summary.exec(line)?.[1] ?? []);
  // A parser that fails says nothing of the KTAP.
  if (found.length !== 1) throw new Error(`kunit.py came to no end: ${printed}${stderr}`);
  const counts = found[0]?.split(", ").map((part) => part.split(": ")) ?? [];
  return {
    cases: lines.flatMap((line) => {
      const [, status = "", id = ""] = /^\[(PASSED|FAILED|SKIPPED)\] (\S+)/.exec(line) ?? [];
      return id === "" ? [] : [[status, id] as const];
    }),
    errors: lines.flatMap((line) => /^\[ERROR\] (.*)$/.exec(line)?.[1] ?? []),
    counts: Object.fromEntries(counts.map(([what, count]) => [what, Number(count)])),
  };
}
