/**
 * What a kernel holds on to: its AF_VSOCK sockets, and what kmemleak finds.
 *
 * @module
 */
import { isUnavailable, UNAVAILABLE, writeAttribute } from "./kernel_file.ts";
import { VMADDR_CID_ANY } from "./constants.ts";
import { SysError } from "./errno.ts";
import { TRANSPORT_MODULES } from "./transports.ts";
import { type DiagSocket, dumpVsock } from "./sock_diag.ts";

/**
 * How many AF_VSOCK sockets with a transport live in this kernel without a file: queued, lingering,
 * or leaked. Each holds a reference to its transport's module (vsock_assign_transport()); taken off
 * are other modules' references, and the connected sockets of a file, which sock_diag(7) lists.
 * References to the module vsock itself would count accept() as well, for as long as it waits.
 *
 * @param enough how many may be there: where no more than that can be, known from the modules
 * alone, what they say is given at once.
 * @returns undefined where no transport is a module that tells its count, or sockets come and go so
 *   fast that they cannot be counted.
 * @throws {SysError} where sock_diag fails otherwise than by not being there.
 */
export async function fileLessSockets(enough: number): Promise<number | undefined> {
  const most = transportReferences();
  if (most === undefined || most <= enough) return most;
  try {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const references = transportReferences();
      if (references === undefined) return undefined;
      const cookies = await socketsWithFile();
      // The two are of one moment if neither has changed when they are asked for again.
      if (transportReferences() !== references) continue;
      const again = await socketsWithFile();
      if (again.size === cookies.size && again.isSubsetOf(cookies)) {
        // A socket that found no transport for its destination is listed, and holds none.
        return Math.max(0, references - cookies.size);
      }
    }
    return undefined;
  } catch (error) {
    if (error instanceof SysError && NO_DIAG.includes(error.code)) return undefined;
    throw error;
  }
}

/** How often sockets are counted that come and go while they are. */
const MAX_TRIES = 20;

/** The cookies of the AF_VSOCK sockets that have a destination and belong to a file. */
async function socketsWithFile(): Promise<Set<bigint>> {
  const sockets = await dumpVsock();
  return new Set(
    sockets.filter(({ inode, remote }) => inode !== 0 && remote.cid !== VMADDR_CID_ANY)
      .map(({ cookie }) => cookie),
  );
}

/** How many references to the transports' modules there are that no other module holds. */
function transportReferences(): number | undefined {
  const counts = Object.values(TRANSPORT_MODULES).map(referencesTo)
    .filter((count) => count !== undefined);
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count);
}

function referencesTo(module: string): number | undefined {
  try {
    const holders = [...Deno.readDirSync(`/sys/module/${module}/holders`)].length;
    return Number(Deno.readTextFileSync(`/sys/module/${module}/refcnt`)) - holders;
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

const KMEMLEAK = "/sys/kernel/debug/kmemleak";

/** Most leaks that are told one by one. */
const MAX_LEAKS = 4;

/** kmemleak (Documentation/dev-tools/kmemleak.rst): scans only when it is told to. */
export class Kmemleak {
  /** How old a leaked object must be for a scan to tell of it, MSECS_MIN_AGE, in milliseconds. */
  readonly minAge: number = 5000;
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Looks whether there is one, and changes nothing: it is told what is no command, which only one
   * that works takes for that.
   *
   * @param path where it takes commands; tests give a file of theirs.
   * @returns undefined where the kernel has none, or not for this user.
   */
  static find(path: string = KMEMLEAK): Kmemleak | undefined {
    const found = new Kmemleak(path);
    try {
      found.#command(NO_COMMAND);
    } catch (error) {
      if (isUnavailable(error, [...UNAVAILABLE, "EBUSY", "EOPNOTSUPP"])) return undefined;
      if (!(error instanceof SysError && error.code === "EINVAL")) throw error;
    }
    return found;
  }

  /** Begins to use it; what leaked before is forgotten. */
  begin(): void {
    for (const command of ["scan=off", "scan", "scan", "clear"]) this.#command(command);
  }

  /** Scans a first time, which only takes the checksums of what has become unreachable. */
  prepare(): void {
    this.#command("scan");
  }

  /** Scans, and gives the leaks of more than {@linkcode minAge} each as the kernel describes it. */
  scan(): string[][] {
    this.#command("scan");
    const found = leaksOf(Deno.readTextFileSync(this.#path));
    if (found.length > 0) this.#command("clear");
    const more = found.length - MAX_LEAKS;
    return more > 0 ? [...found.slice(0, MAX_LEAKS), [`and ${more} more leaks`]] : found;
  }

  #command(text: string): void {
    writeAttribute(this.#path, text);
  }
}

/** A working kmemleak answers EINVAL, one that was turned off EPERM. */
const NO_COMMAND = "?";

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

/** When an object was allocated that kmemleak describes, in the kernel's jiffies. */
export function allocatedAt(leak: readonly string[]): number | undefined {
  const match = leak.map((line) => /\bjiffies (\d+)/.exec(line)).find((found) => found !== null);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** The kernel's jiffies now; undefined where it does not tell, or not this user. */
export function jiffiesNow(path = "/proc/timer_list"): number | undefined {
  try {
    const [, text] = /^jiffies: (\d+)$/m.exec(Deno.readTextFileSync(path)) ?? [];
    return text === undefined ? undefined : Number(text);
  } catch (error) {
    if (isUnavailable(error)) return undefined;
    throw error;
  }
}
