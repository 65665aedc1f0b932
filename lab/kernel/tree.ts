/**
 * A kernel as it was built: in its source tree, or in the folder of `make O=`. Nothing is installed.
 *
 * @module
 */
import { type Arch, ARCHES, archTraits } from "../arch.ts";
import { LabUsageError } from "../error.ts";
import { moduleName } from "./modinfo.ts";
import type { ModuleIndex } from "./modules.ts";

/** A tree that was built. */
export interface KernelTree {
  readonly folder: string;
  readonly arch: Arch;
  /** As `uname -r` will print it. */
  readonly release: string;
  /** The path of the image that boots. */
  readonly image: string;
  /** The text of its `.config`. */
  readonly config: string;
}

/** How configurations name an architecture. */
const CONFIGURED: readonly (readonly [Arch, RegExp])[] = [
  ["x86_64", /^CONFIG_X86_64=y$/m],
  ["arm64", /^CONFIG_ARM64=y$/m],
];

/** Sources of what is tested, and the objects beside them. */
const VSOCK_FOLDERS = ["net/vmw_vsock", "drivers/vhost"];

/** Lists of the modules and of what is built in, below the topmost folder. */
const BUILT_IN = ["modules.builtin", "modules.builtin.modinfo"];

/** Whether a path is that of a folder. */
export async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}

/**
 * Looks at a kernel's tree.
 *
 * @throws {LabUsageError} where it is none, was not built, or was changed since.
 */
export async function kernelTree(folder: string): Promise<KernelTree> {
  const read = (name: string) => Deno.readTextFile(`${folder}/${name}`).catch(() => undefined);
  const config = await read(".config");
  if (config === undefined) {
    const what = await modified(`${folder}/Kconfig`) === undefined
      ? `${folder} is neither a kernel's tree nor the folder of a "make O="`
      : `The kernel's tree ${folder} is not configured`;
    throw new LabUsageError(
      `${what}: there is no .config. "lab kernel config" prints what the lab needs; a kernel that ` +
        "was built elsewhere is named by its image",
    );
  }
  const arch = CONFIGURED.find(([, pattern]) => pattern.test(config))?.[0];
  if (arch === undefined) {
    throw new LabUsageError(
      `The kernel in ${folder} is for another architecture than ${ARCHES.join(" and ")}`,
    );
  }
  const { kernelFolder, kernelImage } = archTraits(arch);
  const image = `${folder}/arch/${kernelFolder}/boot/${kernelImage}`;
  const make = `run "make ${kernelImage} modules" there`;
  if (await modified(image) === undefined) {
    throw new LabUsageError(`The kernel in ${folder} was not built, there is no ${image}: ${make}`);
  }
  const stale = await staleness(folder, image);
  if (stale !== undefined) {
    throw new LabUsageError(`The kernel in ${folder} is older than its source: ${stale}; ${make}`);
  }
  const release = (await read("include/config/kernel.release"))?.trim() ?? "";
  return { folder, arch, release, image, config };
}

/** Why a tree is not what its image was built from; undefined where nothing tells so. */
async function staleness(folder: string, image: string): Promise<string | undefined> {
  const built = await modified(image) ?? 0;
  const newer = async (name: string, than: number) =>
    (await modified(`${folder}/${name}`) ?? 0) > than;
  if (await newer("vmlinux", built)) return "vmlinux was linked after the image was made";
  const configured = await modified(`${folder}/include/config/auto.conf`);
  if (configured !== undefined && await newer(".config", Math.max(configured, built))) {
    return ".config was changed after the build";
  }
  const sources = await sourceOf(folder);
  for (const part of VSOCK_FOLDERS) {
    for (const name of await namesIn(`${sources}/${part}`)) {
      const source = /^(.*)\.c$/.exec(name)?.[1];
      if (source === undefined) continue;
      const object = await modified(`${folder}/${part}/${source}.o`);
      if (object === undefined) continue;
      if ((await modified(`${sources}/${part}/${name}`) ?? 0) > object) {
        return `${part}/${name} was changed after it was compiled`;
      }
    }
  }
  return undefined;
}

/** The topmost folder of a tree's source: with `make O=` that is where the link `source` leads. */
export async function sourceOf(folder: string): Promise<string> {
  return await isFolder(`${folder}/source`) ? `${folder}/source` : folder;
}

/** When a file was changed last, in milliseconds since 1970; undefined where there is none. */
async function modified(path: string): Promise<number | undefined> {
  return await Deno.stat(path).then(({ mtime }) => mtime?.getTime(), () => undefined);
}

async function namesIn(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  return entries.map(({ name }) => name).sort();
}

/**
 * The modules of a tree, where they were built. `modules.order` names them, as objects since 6.2.
 *
 * @throws {LabUsageError} where one was not built.
 */
export async function treeModules({ folder }: KernelTree): Promise<ModuleIndex> {
  const order = await Deno.readTextFile(`${folder}/modules.order`).catch(() => "");
  const index = new Map<string, string>();
  for (const line of order.split("\n").filter((each) => each !== "")) {
    const path = `${folder}/${line.replace(/^kernel\//, "").replace(/\.o$/, ".ko")}`;
    index.set(moduleName(path.slice(path.lastIndexOf("/") + 1, -".ko".length)), path);
  }
  for (const path of index.values()) {
    if (await modified(path) !== undefined) continue;
    throw new LabUsageError(`The kernel's module ${path} was not built: run "make modules" there`);
  }
  const lists: string[] = [];
  for (const name of BUILT_IN) {
    if (await modified(`${folder}/${name}`) !== undefined) lists.push(`${folder}/${name}`);
  }
  return Object.assign(index, { lists });
}
