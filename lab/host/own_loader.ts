/**
 * Makes unpacked programs use the loader and the libraries unpacked with them instead of this
 * machine's.
 *
 * @module
 */
import type { ArchTraits } from "../arch.ts";
import { output, shellWord } from "./command.ts";
import { elfFacts, isElf } from "./elf.ts";

/** The toolset whose loader and libraries programs will use. */
export interface Home {
  /** Its folder now, while it is being made. */
  readonly now: string;
  /** Its folder when the programs run. */
  readonly later: string;
}

/**
 * Makes the programs below a folder use a toolset's loader and libraries. Position-independent ones
 * are changed by patchelf; the others are replaced by a script that calls the loader.
 *
 * @param place the folder's path when the programs run.
 */
export async function makeRunnable(
  folder: string,
  place: string,
  home: Home,
  { loader, triplet, elfMachine }: ArchTraits,
  signal: AbortSignal,
): Promise<void> {
  const libraries = `usr/lib/${triplet}`;
  const relocatable: string[] = [];
  for await (const path of filesBelow(folder)) {
    // Skip patchelf, which is about to run, and libraries: libc.so.6 has an interpreter, too.
    if (/\/patchelf$|\.so(\.|$)/.test(path) || !await startsAsElf(path)) continue;
    const facts = elfFacts(await Deno.readFile(path));
    if (facts?.interpreter === undefined || facts.machine !== elfMachine) continue;
    if (facts.isRelocatable) {
      relocatable.push(path);
      continue;
    }
    const program = `${place}${path.slice(folder.length)}${WRAPPED}`;
    const { later } = home;
    await wrap(path, [
      `${later}/usr/${loader}`,
      "--library-path",
      `${later}/${libraries}`,
      program,
    ]);
  }
  if (relocatable.length === 0) return;
  await output(`${home.now}/usr/${loader}`, [
    ...["--library-path", `${home.now}/${libraries}`, `${home.now}/usr/bin/patchelf`],
    ...["--set-interpreter", `${home.later}/usr/${loader}`],
    ...["--force-rpath", "--set-rpath", `${home.later}/${libraries}`],
    ...relocatable,
  ], { signal });
}

/** The suffix of a program that was replaced by a script. */
const WRAPPED = ".program";

/** patchelf breaks a program that is linked to a fixed address, so a script calls the loader. */
async function wrap(path: string, command: readonly string[]): Promise<void> {
  await Deno.rename(path, `${path}${WRAPPED}`);
  const text = `#!/bin/sh\nexec ${command.map(shellWord).join(" ")} "$@"\n`;
  await Deno.writeTextFile(path, text, { mode: 0o755 });
}

async function startsAsElf(path: string): Promise<boolean> {
  using file = await Deno.open(path);
  const head = new Uint8Array(64);
  return await file.read(head) === head.length && isElf(head);
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(`${folder}/${name}`);
    else if (isFile) yield `${folder}/${name}`;
  }
}
