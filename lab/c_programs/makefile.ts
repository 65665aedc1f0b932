/**
 * What the kernel's tools/testing/vsock says of itself: how its programs are built, and the names of
 * their cases.
 *
 * @module
 */

/** How a program is built. */
export interface ProgramSources {
  /** Its C files, without `.c`. */
  readonly files: readonly string[];
  /** As the linker takes them: `-luring`. */
  readonly libraries: readonly string[];
}

/** Reads how a program is built from the text of the Makefile; undefined where it is not in it. */
export function programSources(makefile: string, program: string): ProgramSources | undefined {
  const lines = [...makefile.replaceAll("\\\n", " ").matchAll(/^([\w-]+):\s*(.*)$/gm)]
    .filter(([, target]) => target === program).map(([, , rest = ""]) => rest);
  const files = lines.flatMap((rest) =>
    [...rest.matchAll(/(\S+)\.o\b/g)].map(([, file = ""]) => file)
  );
  if (files.length === 0) return undefined;
  const libraries = lines.flatMap((rest) => /^LDLIBS\s*[+:]?=\s*(.*)$/.exec(rest)?.[1] ?? [])
    .flatMap((text) => text.split(/\s+/)).filter((word) => word !== "");
  return { files, libraries };
}

/** The names of the cases in the text of a C program, in the order of its list. */
export function caseNames(source: string): string[] {
  const [, list = ""] = /struct test_case \w+\[\] = \{([^]*?)\n\s*\};/.exec(source) ?? [];
  return [...list.matchAll(/\.name\s*=\s*((?:"(?:[^"\\]|\\.)*"\s*)+)/g)].map((
    [, literals = ""],
  ) => [...literals.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text).join(""));
}
