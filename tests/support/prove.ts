/**
 * prove(1), perl's harness for TAP: a judge that is none of ours, from Debian's package of perl.
 *
 * @module
 */
import { ownArch } from "../../lab/arch.ts";
import { programs } from "../../lab/host/toolset.ts";
import type { Progress } from "../../lab/progress.ts";

/** What it says of a TAP. */
export interface Judged {
  /** Whether it holds that all went well. */
  readonly success: boolean;
  readonly text: string;
}

/** Judges a TAP, with more options of prove's if need be. */
export type Prove = (tap: string, ...options: readonly string[]) => Promise<Judged>;

/** Finds it, or fetches it into the cache. */
export async function openProve(progress: Progress): Promise<Prove> {
  const { root } = await programs("perl", ["perl"], progress);
  // Perl looks for its modules where it is installed; each version has folders of its own.
  const folders = [`${root}/usr/share/perl`, `${root}/usr/lib/${ownArch().triplet}/perl`];
  const library = (await Promise.all(folders.map(foldersBelow))).flat();
  return async (tap, ...options) => {
    const file = await Deno.makeTempFile({ suffix: ".tap" });
    try {
      await Deno.writeTextFile(file, tap);
      const { success, stdout, stderr } = await new Deno.Command(`${root}/usr/bin/perl`, {
        args: [`${root}/usr/bin/prove`, "--norc", ...options, "--exec", "cat", file],
        env: { PERL5LIB: library.join(":") },
        stdin: "null",
      }).output();
      const [text = "", error = ""] = [stdout, stderr].map((each) =>
        new TextDecoder().decode(each)
      );
      // A harness that does not start says nothing of the TAP.
      if (!/^Result: /m.test(text)) throw new Error(`prove came to no end: ${text}${error}`);
      return { success, text };
    } finally {
      await Deno.remove(file);
    }
  };
}

async function foldersBelow(path: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(path));
  return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => `${path}/${name}`);
}
