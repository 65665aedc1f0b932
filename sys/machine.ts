/**
 * What a machine and its kernel are, so that a run can be repeated on the like of them. Each fact is
 * left out where it cannot be read.
 *
 * @module
 */

/** What one machine says of itself; `EndFacts` of core/event.ts says what each is. */
export interface Machine {
  readonly uname?: string;
  readonly commandLine?: string;
  readonly config?: { readonly path: string; readonly sha256: string };
}

/** Reads what holds as long as this kernel runs. */
export async function machineOf(release: string, architecture: string): Promise<Machine> {
  const [type, version, commandLine] = await Promise.all(
    ["/proc/sys/kernel/ostype", "/proc/sys/kernel/version", "/proc/cmdline"].map(lineOf),
  );
  const config = await configOf(release);
  return {
    uname: [type, release, version, architecture].filter((word) => word !== undefined).join(" "),
    ...(commandLine === undefined ? {} : { commandLine }),
    ...(config === undefined ? {} : { config }),
  };
}

/** /proc/sys/kernel/tainted, which may change at any time; undefined where it cannot be read. */
export function kernelTaint(path = "/proc/sys/kernel/tainted"): number | undefined {
  try {
    const value = Number(Deno.readTextFileSync(path));
    return Number.isSafeInteger(value) ? value : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}

/** The configuration of a kernel of this release: its own copy, or the distribution's file. */
export async function configOf(
  release: string,
  paths: readonly string[] = ["/proc/config.gz", `/boot/config-${release}`],
): Promise<Machine["config"]> {
  for (const path of paths) {
    const file = await unlessMissing(Deno.readFile(path));
    if (file === undefined) continue;
    const text = path.endsWith(".gz") ? await unpacked(file) : file;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
    return { path, sha256: digest.toHex() };
  }
  return undefined;
}

async function unpacked(file: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([file]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function lineOf(path: string): Promise<string | undefined> {
  return (await unlessMissing(Deno.readTextFile(path)))?.trim();
}

/** What was read; undefined where there is nothing, or nothing for this process. */
async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}
