/**
 * Measures time without the time for which a process had to wait for a processor: on a busy
 * machine, a lack of progress means nothing.
 *
 * @module
 */

/** A clock that stops while a process waits for a processor. */
export class OwnClock {
  readonly #pid: number;

  /** @param pid the process, whose children count, too. */
  constructor(pid: number) {
    this.#pid = pid;
  }

  /**
   * The time in milliseconds since an arbitrary moment, minus the longest time that any thread has
   * waited for a processor (/proc/<pid>/schedstat, see Documentation/scheduler/sched-stats in the
   * kernel).
   */
  async now(): Promise<number> {
    const waits = await Promise.all((await threadsOf(this.#pid)).map(waited));
    return performance.now() - Math.max(0, ...waits);
  }
}

/** The schedstat files of a process's threads, and of its children's. */
async function threadsOf(pid: number): Promise<string[]> {
  const list = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`).catch(() => "");
  const children = list.split(" ").filter((each) => each !== "");
  const files: string[] = [];
  for (const each of [pid, ...children]) {
    try {
      for await (const { name } of Deno.readDir(`/proc/${each}/task`)) {
        files.push(`/proc/${each}/task/${name}/schedstat`);
      }
    } catch (error) {
      // The process has ended.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return files;
}

/** How long a thread has waited for a processor, in milliseconds; 0 if the kernel does not say. */
async function waited(schedstat: string): Promise<number> {
  const text = await Deno.readTextFile(schedstat).catch(() => "");
  return Number(text.split(" ")[1] ?? 0) / 1e6;
}
