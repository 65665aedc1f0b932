/**
 * What a kernel holds on to: its AF_VSOCK sockets, its socket buffers, and what kmemleak finds.
 *
 * @module
 */
import { SysError } from "./errno.ts";
import { type DiagSocket, dumpVsock } from "./sock_diag.ts";

/**
 * How many AF_VSOCK sockets live in this kernel without a file: queued, lingering, or leaked.
 * Every socket holds a reference to the module of its protocol (sk_prot_alloc()); taken off are the
 * modules that hold one, and the sockets that belong to a file, which sock_diag(7) lists.
 *
 * @returns undefined where AF_VSOCK is no module, the module tells no count, or sockets come and go
 *   so fast that they cannot be counted.
 * @throws {SysError} where sock_diag fails otherwise than by not being there.
 */
export async function fileLessSockets(): Promise<number | undefined> {
  try {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const references = vsockReferences();
      if (references === undefined) return undefined;
      const cookies = await socketsWithFile();
      // The two are of one moment if neither has changed when they are asked for again.
      if (vsockReferences() !== references) continue;
      const again = await socketsWithFile();
      if (again.size === cookies.size && again.isSubsetOf(cookies)) {
        return references - REFERENCES_WITH_FILE * cookies.size;
      }
    }
    return undefined;
  } catch (error) {
    if (error instanceof SysError && NO_DIAG.includes(error.code)) return undefined;
    throw error;
  }
}

/** A socket with a file holds a second reference, to the module of its calls: __sock_create(). */
const REFERENCES_WITH_FILE = 2;

/** How often sockets are counted that come and go while they are. */
const MAX_TRIES = 20;

/** The cookies of the AF_VSOCK sockets that belong to a file. */
async function socketsWithFile(): Promise<Set<bigint>> {
  const sockets = await dumpVsock();
  return new Set(sockets.filter(({ inode }) => inode !== 0).map(({ cookie }) => cookie));
}

/** How many references to the module there are that no other module holds. */
function vsockReferences(): number | undefined {
  try {
    const holders = [...Deno.readDirSync("/sys/module/vsock/holders")].length;
    return Number(Deno.readTextFileSync("/sys/module/vsock/refcnt")) - holders;
  } catch (error) {
    if (isUnavailable(error)) return undefined;
    throw error;
  }
}

/** Those of them that sock_diag(7) lists: they have no file, but still an address. */
export async function fileLessListed(): Promise<DiagSocket[]> {
  return (await dumpVsock()).filter(({ inode }) => inode === 0);
}

/** What sock_diag says where it cannot tell of AF_VSOCK. */
const NO_DIAG = ["ENOENT", "EPROTONOSUPPORT", "EINVAL"];

const SKB_CACHE = "/sys/kernel/slab/skbuff_head_cache";

/**
 * How many struct sk_buff this kernel holds, of all its sockets. What processors keep at hand is
 * given back first, kmem_cache_shrink(), so that the count is exact.
 *
 * @returns undefined where the kernel does not tell (CONFIG_SLUB_DEBUG), or not this user.
 */
export function socketBuffers(): number | undefined {
  try {
    Deno.writeTextFileSync(`${SKB_CACHE}/shrink`, "1", { create: false });
    return Number.parseInt(Deno.readTextFileSync(`${SKB_CACHE}/objects`));
  } catch (error) {
    if (isUnavailable(error)) return undefined;
    throw error;
  }
}

const KMEMLEAK = "/sys/kernel/debug/kmemleak";

/** Most leaks that are told one by one. */
const MAX_LEAKS = 4;

/** kmemleak (Documentation/dev-tools/kmemleak.rst): scans only when it is told to. */
export class Kmemleak {
  /** How old a leaked object must be for a scan to tell of it, MSECS_MIN_AGE, in milliseconds. */
  readonly minAge: number = 5000;

  /**
   * Begins to use it; what leaked before is forgotten.
   *
   * @returns undefined where the kernel has none, or not for this user.
   */
  static open(): Kmemleak | undefined {
    try {
      this.#command("scan=off");
      for (const command of ["scan", "scan", "clear"]) this.#command(command);
      return new Kmemleak();
    } catch (error) {
      if (isUnavailable(error) || /os error (1|16|95)\b/.test(String(error))) return undefined;
      throw error;
    }
  }

  /** Scans a first time, which only takes the checksums of what has become unreachable. */
  prepare(): void {
    Kmemleak.#command("scan");
  }

  /** Scans, and gives the leaks of more than {@linkcode minAge} each as the kernel describes it. */
  scan(): string[][] {
    Kmemleak.#command("scan");
    const found = leaksOf(Deno.readTextFileSync(KMEMLEAK));
    if (found.length > 0) Kmemleak.#command("clear");
    const more = found.length - MAX_LEAKS;
    return more > 0 ? [...found.slice(0, MAX_LEAKS), [`and ${more} more leaks`]] : found;
  }

  static #command(text: string): void {
    Deno.writeTextFileSync(KMEMLEAK, text, { create: false });
  }
}

/** The objects that kmemleak lists: what and whence, without the dump of its contents. */
export function leaksOf(text: string): string[][] {
  const leaks: string[][] = [];
  for (const line of text.split("\n")) {
    if (/^unreferenced object/.test(line)) leaks.push([line]);
    else if (!/^\s*(hex dump|[0-9a-f]{2} [0-9a-f]{2} |$)/.test(line)) {
      leaks.at(-1)?.push(line.trim());
    }
  }
  return leaks;
}

/** Whether a file of the kernel's is not there, or not for this user. */
function isUnavailable(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable;
}
