/**
 * Finds kernel modules and their dependencies below a folder, in the order of loading.
 *
 * @module
 */
import { zstdDecompress } from "node:zlib";
import { promisify } from "node:util";
import { reasonOf } from "../../core/error.ts";
import { outputBytes } from "../host/command.ts";
import { LabError } from "../error.ts";
import { builtInInfo, type ModuleInfo, moduleInfo, moduleName } from "./modinfo.ts";

/** The paths of modules, by name (with `_`). */
export interface ModuleIndex extends ReadonlyMap<string, string> {
  /** Files written by the kernel's build or depmod(8): `modules.builtin` and others. */
  readonly lists?: readonly string[];
}

/** Settings for {@linkcode readModules}. */
export interface ReadOptions {
  /** The name or path of the program xz. */
  readonly xz?: string;
}

/** The lists that are used here. */
const LISTS = /^modules\.(alias|builtin|builtin\.modinfo)$/;
/** The number of modules searched for an alias in parallel. */
const AT_ONCE = navigator.hardwareConcurrency;

/** Finds all modules below a folder. */
export async function indexModules(folder: string): Promise<ModuleIndex> {
  const index = new Map<string, string>();
  const lists: string[] = [];
  const visit = async (path: string): Promise<void> => {
    for await (const { name, isDirectory, isFile } of Deno.readDir(path)) {
      if (isDirectory) await visit(`${path}/${name}`);
      if (isFile && LISTS.test(name)) lists.push(`${path}/${name}`);
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
  return Object.assign(index, { lists });
}

/** A module, ready to be loaded. */
export interface Module {
  readonly name: string;
  readonly data: Uint8Array;
  /** Parameters for insmod(8). */
  readonly parameters?: string;
}

/**
 * Reads modules and all their dependencies, including soft ones (modprobe.d(5)), which name a
 * module or an alias. As modprobe does, all modules with such an alias are included; each finds out
 * for itself whether it suits the machine.
 *
 * @param names modules that are not in the index are assumed to be built into the kernel.
 * @returns the modules, in an order in which they can be loaded.
 */
export async function readModules(
  index: ModuleIndex,
  names: readonly string[],
  options: ReadOptions = {},
): Promise<Module[]> {
  const probe = new Probe(new Modules(index, options));
  for (const name of names) await probe.add(moduleName(name));
  return probe.modules;
}

/** A module with its information. */
interface ReadModule extends Module {
  readonly info: ModuleInfo;
}

/** The modules of an index, each read only once. */
class Modules {
  readonly #index: ModuleIndex;
  readonly #xz: string;
  readonly #read = new Map<string, Promise<ReadModule>>();
  readonly #found = new Map<string, Promise<string[]>>();

  constructor(index: ModuleIndex, { xz = "xz" }: ReadOptions) {
    this.#index = index;
    this.#xz = xz;
  }

  /** A module; undefined if it is not in the index. */
  get(name: string): Promise<ReadModule> | undefined {
    const path = this.#index.get(name);
    if (path === undefined) return undefined;
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    const read = readModule(path, this.#xz).then((data) => ({
      name,
      data,
      info: infoOf(path, data),
    }));
    this.#read.set(name, read);
    return read;
  }

  /** The modules with a name or an alias; none if that is built in. */
  lookUp(name: string): Promise<string[]> {
    const wanted = moduleName(name);
    const found = this.#found.get(wanted) ?? this.#find(wanted);
    this.#found.set(wanted, found);
    return found;
  }

  async #find(wanted: string): Promise<string[]> {
    if (this.#index.has(wanted)) return [wanted];
    const lists = new Map(
      await Promise.all(
        (this.#index.lists ?? []).map(async (path) =>
          [path.slice(path.lastIndexOf("/modules.") + 1), await Deno.readFile(path)] as const
        ),
      ),
    );
    const decoder = new TextDecoder();
    const aliases = lists.get("modules.alias");
    const listed = aliases && listedAliases(decoder.decode(aliases), wanted);
    if (listed?.length) return listed.filter((module) => this.#index.has(module));
    const builtIn = builtInInfo(lists.get("modules.builtin.modinfo") ?? new Uint8Array());
    const isBuiltIn = isListed(decoder.decode(lists.get("modules.builtin")), wanted) ||
      [...builtIn.values()].some((info) => goesBy(info, wanted));
    if (isBuiltIn || aliases !== undefined) return [];
    // A module's name usually begins like the alias: crypto-crc32c is crc32c_intel, xxhash64 is
    // xxhash_generic. Reading all modules would take 20 s if they are compressed.
    const stem = /^[a-z]*/.exec(wanted.replace(/^crypto_/, ""))?.[0] || wanted;
    const all = [...this.#index.keys()];
    const likely = await this.#thatGoBy(wanted, all.filter((each) => each.startsWith(stem)));
    return likely.length > 0 ? likely : await this.#thatGoBy(wanted, all);
  }

  async #thatGoBy(wanted: string, names: readonly string[]): Promise<string[]> {
    const found: string[] = [];
    const left = [...names];
    const worker = async () => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) {
        const path = this.#index.get(name) ?? "";
        // Do not keep modules that are not needed: all of them are several hundred megabytes.
        const module = await this.#read.get(name);
        const info = module?.info ?? infoOf(path, await readModule(path, this.#xz));
        if (goesBy(info, wanted)) found.push(name);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return found.sort();
  }
}

/** Sorts modules into the order in which modprobe(8) loads them. */
class Probe {
  readonly #from: Modules;
  /** Names that were visited already: soft dependencies may be circular. */
  readonly #asked = new Set<string>();
  readonly #loaded = new Map<string, Module>();

  constructor(from: Modules) {
    this.#from = from;
  }

  /** The modules, in the order of loading. */
  get modules(): Module[] {
    return [...this.#loaded.values()];
  }

  /** Adds a module, after its dependencies. */
  async add(name: string): Promise<void> {
    if (this.#asked.has(name)) return;
    this.#asked.add(name);
    for (const each of [...await this.#needs(name), name]) await this.#addWithSoft(each);
  }

  async #addWithSoft(name: string): Promise<void> {
    const module = await this.#from.get(name);
    if (module === undefined) return;
    const { pre, post } = softDependenciesOf(module.info);
    for (const soft of pre) await this.#addSoft(soft);
    for (const each of [...await this.#needs(name), name]) await this.#load(each);
    for (const soft of post) await this.#addSoft(soft);
  }

  /** Adds a soft dependency, which may be missing. */
  async #addSoft(name: string): Promise<void> {
    for (const module of await this.#from.lookUp(name)) await this.add(module);
  }

  async #load(name: string): Promise<void> {
    const module = await this.#from.get(name);
    if (module !== undefined) this.#loaded.set(name, { name, data: module.data });
  }

  /** The modules that have to be loaded before another one, in order. */
  async #needs(name: string): Promise<string[]> {
    const needs: string[] = [];
    const seen = new Set([name]);
    const visit = async (each: string): Promise<void> => {
      const module = await this.#from.get(each);
      for (const dependency of module === undefined ? [] : dependenciesOf(module.info)) {
        if (seen.has(dependency)) continue;
        seen.add(dependency);
        await visit(dependency);
        needs.push(dependency);
      }
    };
    await visit(name);
    return needs;
  }
}

/** A module's dependencies. */
export function dependenciesOf(info: ModuleInfo): string[] {
  return info.get("depends")?.flatMap((list) => list.split(",")).filter((name) => name !== "")
    .map(moduleName) ?? [];
}

/** A module's soft dependencies, to be loaded before and after it: names or aliases. */
export function softDependenciesOf(info: ModuleInfo): { pre: string[]; post: string[] } {
  const found = { pre: [] as string[], post: [] as string[] };
  for (const text of info.get("softdep") ?? []) {
    let list: string[] | undefined;
    for (const word of text.split(/\s+/)) {
      if (word === "pre:") list = found.pre;
      else if (word === "post:") list = found.post;
      else if (word !== "") list?.push(word);
    }
  }
  return found;
}

/** Whether a module has a name among its aliases, which may be patterns (fnmatch(3)). */
function goesBy(info: ModuleInfo, name: string): boolean {
  return info.get("alias")?.some((alias) => matches(alias, name)) ?? false;
}

function matches(pattern: string, name: string): boolean {
  const own = moduleName(pattern);
  if (own === name) return true;
  if (!/[*?[]/.test(own)) return false;
  const source = own.replace(/\[[\w-]+\]|[^]/g, (part) => {
    if (part === "*") return ".*";
    if (part === "?") return ".";
    return part.length > 1 ? part : part.replace(/\W/, "\\$&");
  });
  return new RegExp(`^${source}$`).test(name);
}

/** The modules that depmod(8) lists for an alias. */
function listedAliases(list: string, name: string): string[] {
  return list.split("\n").flatMap((line) => {
    const [, alias, module] = /^alias\s+(\S+)\s+(\S+)$/.exec(line) ?? [];
    return alias !== undefined && module !== undefined && matches(alias, name)
      ? [moduleName(module)]
      : [];
  });
}

/** Whether `modules.builtin` lists a module. */
function isListed(list: string, name: string): boolean {
  return list.split("\n").some((path) => {
    return moduleName(path.replace(/^.*\//, "").replace(/\.ko$/, "")) === name;
  });
}

function infoOf(path: string, data: Uint8Array): ModuleInfo {
  try {
    return moduleInfo(data);
  } catch (error) {
    throw new LabError(`Cannot use ${path}: ${reasonOf(error)}`);
  }
}

/** Reads a module's file, which may be compressed. */
async function readModule(path: string, xz: string): Promise<Uint8Array> {
  if (path.endsWith(".xz")) return await outputBytes(xz, ["-d", "-c", "-q", "--", path]);
  const data = await Deno.readFile(path);
  try {
    if (path.endsWith(".zst")) return await promisify(zstdDecompress)(data);
    if (!path.endsWith(".gz")) return data;
    const plain = new Response(data).body?.pipeThrough(new DecompressionStream("gzip"));
    return await new Response(plain).bytes();
  } catch (error) {
    throw new LabError(`Cannot decompress ${path}: ${reasonOf(error)}`);
  }
}
