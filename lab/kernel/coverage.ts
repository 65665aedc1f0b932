/**
 * Kernels that count which lines of AF_VSOCK run, with gcov: one built from Debian's package of the
 * kernel's source, or the user's own tree; and what is needed to read the counters.
 *
 * @module
 */
import { type Arch, type ArchTraits, archTraits } from "../arch.ts";
import { LabError, LabUsageError } from "../error.ts";
import { output } from "../host/command.ts";
import { compilerFor } from "../host/compiler.ts";
import type { Progress } from "../progress.ts";
import { configFragment, mergedConfig } from "./config.ts";
import { keptKernel, type Kernel } from "./kept.ts";
import { unpackSource } from "./source.ts";
import { isFolder, kernelTree, sourceOf } from "./tree.ts";
import { configure, findOrBuild, imageOf, make, type WholeBuild, wholeFolder } from "./whole.ts";

/** The name of the kernel in the cache. */
export const COVERAGE = "coverage";

/** What is counted: the C files of AF_VSOCK, and of the host's device. */
const COUNTED = [
  { folder: "net/vmw_vsock", files: /^\w+\.c$/ },
  { folder: "drivers/vhost", files: /^vsock\.c$/ },
];

/** Below the folder of the kernel in the cache: the counted sources, and gcov's notes on them. */
const NOTES = "coverage";

/** A counted source: what gcov needs besides the counters. */
export interface CountedFile {
  /** Its path in the kernel's tree. */
  readonly path: string;
  /** The path of the source here. */
  readonly source: string;
  /** The path of the compiler's notes (.gcno). */
  readonly notes: string;
}

/** A kernel's counted sources, and the gcov that belongs to its compiler. */
export interface Counted {
  readonly files: readonly CountedFile[];
  readonly gcov: string;
}

/**
 * Finds the kernel in the cache, or builds it.
 *
 * @param refresh build it again, even if it is in the cache.
 * @throws {LabError} if the build fails; it needs 3 GB of disk space for a while.
 */
export async function buildCoverageKernel(
  arch: ArchTraits,
  refresh: boolean,
  progress: Progress,
): Promise<string> {
  return await findOrBuild(COVERAGE, arch, build, refresh, progress);
}

/**
 * The kernel in the cache.
 *
 * @throws {LabError} if it was not built.
 */
export async function findCoverageKernel(arch: ArchTraits): Promise<Kernel> {
  return await keptKernel(COVERAGE, await folderOf(arch));
}

async function folderOf(arch: Pick<ArchTraits, "name">): Promise<string> {
  const folder = await wholeFolder(COVERAGE, arch);
  if (await isFolder(folder)) return folder;
  throw new LabError(
    `Build the kernel first: "lab build-kernel ${COVERAGE} --arch ${arch.name}", 10 min or more`,
  );
}

async function build(arch: ArchTraits, making: string, progress: Progress): Promise<void> {
  const compiler = await compilerFor(arch, "kernels", progress);
  const unpacked = `${making}/unpacked`;
  const { name, root } = await unpackSource(unpacked, compiler.env, progress);
  const whole = { root, arch, compiler, progress };
  await progress.phase("kernel", `building ${name} with gcov`, async () => {
    const fragment = await configFragment({ arch, hasGuest: true, coverage: true });
    await configure(whole, mergedConfig([fragment]));
    await make(whole, arch.kernelImage, ...await countingArguments(whole));
    await Deno.rename(imageOf(whole), `${making}/vmlinuz`);
    // All of it is built in: nothing has to be loaded.
    await Deno.writeTextFile(`${making}/order.json`, "[]");
    for (const { path, source, notes } of await countedIn(root, root)) {
      const to = `${making}/${NOTES}/${path}`;
      await Deno.mkdir(to.slice(0, to.lastIndexOf("/")), { recursive: true });
      await Deno.copyFile(source, to);
      await Deno.copyFile(notes, notesOf(to));
    }
  });
  await Deno.remove(unpacked, { recursive: true });
}

/**
 * Variables for make that turn counting on for AF_VSOCK's objects alone, as their Makefiles could.
 * Without early inlining a small function has counts of its own.
 */
async function countingArguments({ root }: Pick<WholeBuild, "root">): Promise<string[]> {
  const objects = (await sourcesIn(root)).map((path) => `${nameOf(path)}.o`);
  return objects.flatMap((object) => [
    `GCOV_PROFILE_${object}=y`,
    `CFLAGS_${object}=-fno-early-inlining`,
  ]);
}

/** The paths of the sources in a tree that are counted where they are compiled. */
async function sourcesIn(root: string): Promise<string[]> {
  const found = await Promise.all(COUNTED.map(async ({ folder, files }) => {
    const entries = await Array.fromAsync(Deno.readDir(`${root}/${folder}`)).catch(() => []);
    return entries.filter(({ name }) => files.test(name)).map(({ name }) => `${folder}/${name}`);
  }));
  return found.flat().sort();
}

/** The counted sources of a build. */
async function countedIn(root: string, objects: string): Promise<CountedFile[]> {
  const counted: CountedFile[] = [];
  for (const path of await sourcesIn(root)) {
    const notes = notesOf(`${objects}/${path}`);
    const isThere = await Deno.stat(notes).then(() => true, () => false);
    if (isThere) counted.push({ path, source: `${root}/${path}`, notes });
  }
  return counted;
}

/**
 * What is counted of a kernel, before it boots.
 *
 * @param kernel {@linkcode COVERAGE}, or the folder of a tree that was built with gcov.
 * @param arch the architecture of the VMs.
 * @throws {LabUsageError} if that kernel counts nothing; {@linkcode LabError}.
 */
export async function countedBy(
  kernel: string,
  arch: Arch,
  progress: Progress,
): Promise<Counted> {
  if (kernel === COVERAGE) {
    const folder = `${await folderOf({ name: arch })}/${NOTES}`;
    const { root, env } = await compilerFor(archTraits(arch), "kernels", progress);
    const gcov = `${root}/usr/bin/gcov`;
    await output(gcov, ["--version"], { env, signal: progress.stop });
    return { files: await countedIn(folder, folder), gcov };
  }
  if (!await isFolder(kernel)) {
    throw new LabUsageError(
      `The kernel "${kernel}" does not count which lines run: use "${COVERAGE}" ` +
        `("lab build-kernel ${COVERAGE}" makes it), or a tree that was built with gcov`,
    );
  }
  const { folder, config } = await kernelTree(kernel.replace(/(.)\/+$/, "$1"));
  const root = await sourceOf(folder);
  const files = await countedIn(root, folder);
  if (!/^CONFIG_GCOV_KERNEL=y$/m.test(config) || files.length === 0) {
    const args = (await countingArguments({ root })).filter((each) => each.startsWith("GCOV"));
    throw new LabUsageError(
      `The kernel in ${folder} was not built with gcov: set what "lab kernel config --coverage" ` +
        `prints, and build it with\n  make ${args.join(" ")}`,
    );
  }
  return { files, gcov: await gcovFor(folder, config, arch, progress) };
}

/** The gcov of the compiler that built a tree: this machine's, or Debian's. */
async function gcovFor(
  folder: string,
  config: string,
  arch: Arch,
  progress: Progress,
): Promise<string> {
  const version = /^CONFIG_GCC_VERSION=(\d+)\d{4}$/m.exec(config)?.[1];
  if (version === undefined) {
    throw new LabUsageError(`The kernel in ${folder} was not built by GCC, whose gcov is used`);
  }
  const fits = async (gcov: string) => {
    const text = await output(gcov, ["--version"], { signal: progress.stop }).catch(() => "");
    return new RegExp(`^gcov .* ${version}\\.`, "m").test(text);
  };
  for (const name of [`gcov-${version}`, "gcov"]) if (await fits(name)) return name;
  const { root } = await compilerFor(archTraits(arch), "kernels", progress);
  if (await fits(`${root}/usr/bin/gcov`)) return `${root}/usr/bin/gcov`;
  throw new LabUsageError(
    `The kernel in ${folder} was built by GCC ${version}: its gcov is needed on the PATH`,
  );
}

/** The path of the compiler's notes on a source. */
function notesOf(source: string): string {
  return source.replace(/\.c$/, ".gcno");
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1, -".c".length);
}
