/**
 * Kernel modules: found below a folder, with what they depend on, in the order of loading.
 *
 * @module
 */
import { output } from "./command.ts";
import { LabError } from "./error.ts";

/** Modules by name (with `_`), and where each is. */
export type ModuleIndex = ReadonlyMap<string, string>;

/** Finds all modules below a folder. */
export async function indexModules(folder: string): Promise<ModuleIndex> {
  const index = new Map<string, string>();
  const visit = async (path: string): Promise<void> => {
    for await (const { name, isDirectory, isFile } of Deno.readDir(path)) {
      if (isDirectory) await visit(`${path}/${name}`);
      const match = isFile ? /^(.+)\.ko(\.(xz|gz|zst))?$/.exec(name) : null;
      if (match?.[1]) index.set(moduleName(match[1]), `${path}/${name}`);
    }
  };
  try {
    await visit(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new LabError(`There is no folder of modules at ${folder}`);
  }
  return index;
}

/** A module, ready to be loaded. */
export interface Module {
  readonly name: string;
  readonly data: Uint8Array;
}

/**
 * Reads modules and all that they depend on.
 *
 * @param names those that the index lacks are taken to be built into the kernel.
 * @returns them in an order in which they can be loaded.
 */
export async function readModules(
  index: ModuleIndex,
  names: readonly string[],
): Promise<Module[]> {
  const modules = new Map<string, Module>();
  const add = async (name: string): Promise<void> => {
    const path = index.get(name);
    if (path === undefined || modules.has(name)) return;
    const data = await readModule(path);
    for (const dependency of dependenciesOf(data)) await add(dependency);
    modules.set(name, { name, data });
  };
  for (const name of names) await add(moduleName(name));
  return [...modules.values()];
}

function moduleName(name: string): string {
  return name.replaceAll("-", "_");
}

async function readModule(path: string): Promise<Uint8Array> {
  if (path.endsWith(".ko")) return await Deno.readFile(path);
  const folder = await Deno.makeTempDir();
  try {
    const program = path.endsWith(".xz") ? "xz" : path.endsWith(".gz") ? "gzip" : "zstd";
    const copy = `${folder}/${path.split("/").at(-1)}`;
    await Deno.copyFile(path, copy);
    await output(program, ["-d", "-q", copy]);
    return await Deno.readFile(copy.replace(/\.(xz|gz|zst)$/, ""));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The modules that one depends on: `depends=` in its .modinfo section. */
export function dependenciesOf(module: Uint8Array): string[] {
  const text = new TextDecoder("latin1").decode(module);
  const list = /\0depends=([^\0]*)\0/.exec(text)?.[1] ?? "";
  return list === "" ? [] : list.split(",").map(moduleName);
}
