/**
 * Builds the kernel's C tests, against which `lab interop` runs our cases, from Debian's package of
 * the kernel's source or from a tree.
 *
 * @module
 */
import { cached, removeIfThere, sha256Text } from "../host/cache.ts";
import { output } from "../host/command.ts";
import type { CpioEntry } from "../image/cpio.ts";
import { LabError, LabUsageError } from "../error.ts";
import { caseNames, programSources } from "./makefile.ts";
import { unpackSource } from "../kernel/source.ts";
import { type Progress, waiting } from "../progress.ts";
import type { ArchTraits } from "../arch.ts";
import { type Compiler, compilerFor } from "../host/compiler.ts";

/** The programs; the last has no cases. */
const PROGRAMS = ["vsock_test", "vsock_diag_test", "vsock_uring_test", "vsock_perf"] as const;

/** Where they are in the kernel's source. */
const FOLDER = "tools/testing/vsock";

/** Static, so that they run in a VM without libraries. */
const FLAGS: readonly string[] =
  "-O2 -w -static -D_GNU_SOURCE -U_FORTIFY_SOURCE -fno-strict-aliasing -fno-strict-overflow"
    .split(" ");

/** The parts of the source tree that are needed. */
const WANTED = [FOLDER, "tools/include", "include/uapi"];

/** The folder of the programs in a VM. */
export const C_FOLDER = "c";

/** The C programs. */
export interface CSuite {
  /** What they were built from: a package, by name and version, or a kernel's tree. */
  readonly source: string;
  /** The names of each program's cases, in order. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** The programs in {@linkcode C_FOLDER}, as files for a VM. */
  readonly files: readonly CpioEntry[];
}

/**
 * The C programs as files for a VM. If necessary they are built from the newest kernel source in the
 * archive, which is a download of 170 MB, or from a kernel's tree.
 *
 * @param tree the topmost folder of the source.
 */
export async function cPrograms(
  arch: ArchTraits,
  progress: Progress,
  tree?: string,
): Promise<CSuite> {
  const what = [PROGRAMS, FLAGS, tree === undefined ? "archive" : await textsOf(tree)];
  const key = (await sha256Text(JSON.stringify(what))).slice(0, 16);
  const folder = await cached(
    ["csuite", `${arch.name}-${key}`],
    (making) => buildAll(arch, making, progress, tree),
    (what) => progress.log(`${what}; building it again`),
    waiting(progress),
  );
  const files = await Promise.all(
    PROGRAMS.map(async (name): Promise<CpioEntry> => {
      const data = await Deno.readFile(`${folder}/${name}`);
      return { path: `${C_FOLDER}/${name}`, data, executable: true };
    }),
  );
  return {
    source: tree ?? await Deno.readTextFile(`${folder}/source`),
    names: JSON.parse(await Deno.readTextFile(`${folder}/names.json`)),
    files: [{ path: C_FOLDER, folder: true }, ...files],
  };
}

/** The texts of a tree's programs. */
async function textsOf(tree: string): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  const folder = `${tree}/${FOLDER}`;
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => {
    throw new LabUsageError(`There is no ${folder}: the C programs are built from a whole tree`);
  });
  for (const { name } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (!/\.[ch]$|^Makefile$/.test(name)) continue;
    texts[name] = await Deno.readTextFile(`${folder}/${name}`);
  }
  return texts;
}

async function buildAll(
  arch: ArchTraits,
  making: string,
  progress: Progress,
  tree?: string,
): Promise<void> {
  const compiler = await compilerFor(arch, "programs", progress);
  const unpacked = `${making}/unpacked`;
  const { name, root } = tree === undefined
    ? await unpackSource(unpacked, compiler.env, progress, WANTED)
    : { name: tree, root: tree };
  const texts = await textsOf(root);
  const names: Record<string, string[]> = {};
  await progress.phase("C tests", "building the kernel's C tests", async () => {
    for (const program of PROGRAMS) {
      const sources = programSources(texts.Makefile ?? "", program);
      if (sources === undefined) {
        throw new LabError(`The Makefile in ${root}/${FOLDER} says nothing of ${program}`);
      }
      const { files, libraries } = sources;
      const paths = files.map((file) => `${root}/${FOLDER}/${file}.c`);
      const headers = [`-I${root}/tools/include`, `-I${root}/include/uapi`];
      const args = [...headers, "-o", `${making}/${program}`, ...paths, ...libraries];
      await compile(compiler, args, progress.stop);
      names[program] = caseNames(texts[`${program}.c`] ?? "");
    }
  });
  await Deno.writeTextFile(`${making}/source`, name);
  await Deno.writeTextFile(`${making}/names.json`, JSON.stringify(names));
  await removeIfThere(unpacked);
}

/** Compiles a static program. */
export async function compile(
  { cc, flags, env }: Compiler,
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  // The source's headers take precedence over those of the compiler's packages.
  await output(cc, [...FLAGS, ...args, ...flags], { env, signal });
}
