/**
 * Sends the counters of executed lines that a kernel with gcov keeps in debugfs
 * (Documentation/dev-tools/gcov.rst). They are only read.
 *
 * @module
 */
import { reasonOf } from "../core/error.ts";
import { COUNTED_FILE, COUNTERS, encodeCounters } from "../control/counters_wire.ts";
import type { SideOrder, SideRunner } from "./session.ts";
import { reporter } from "./side_report.ts";

/** Where the kernel has them: below the absolute path of the folder in which it was built. */
const FOLDER = "/sys/kernel/debug/gcov";
const SUFFIX = ".gcda";

/** Wraps a runner so that it also sends the counters if a controller asks for that. */
export function withCounters(runSide: SideRunner, folder = FOLDER): SideRunner {
  let known: Promise<ReadonlyMap<string, string>> | undefined;
  return async (order) => {
    if (order.id !== COUNTERS) return await runSide(order);
    const report = reporter();
    try {
      const files = await (known ??= counterFiles(folder));
      if (files.size === 0) {
        return report("skip", [`this kernel counts nothing: there is no ${folder} for AF_VSOCK`]);
      }
      await sendAll(order, files);
      return report("pass", []);
    } catch (error) {
      if (order.stop.aborted) return report("stopped", [reasonOf(order.stop.reason)]);
      return report("broken", [`cannot read the kernel's counters: ${reasonOf(error)}`]);
    }
  };
}

async function sendAll(order: SideOrder, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [file, path] of files) {
    order.stop.throwIfAborted();
    order.onStep(`reading ${path}`);
    // Its size is 0 to stat(2).
    const data = await Deno.readFile(path);
    for (const line of encodeCounters(file, data)) await order.lines.write(line);
  }
}

/** The paths of the counters, by the names under which they are sent. */
async function counterFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const visit = async (path: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      const below = `${path}/${name}`;
      if (isDirectory) await visit(below);
      if (!name.endsWith(SUFFIX)) continue;
      const file = below.slice(0, -SUFFIX.length).split("/").slice(-3).join("/");
      if (COUNTED_FILE.test(file)) found.set(file, below);
    }
  };
  try {
    await visit(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found;
}
