/**
 * How much of the time that passes a process really has: on a machine that is busy with other things
 * it waits for a processor, and what it does not do meanwhile tells nothing.
 *
 * @module
 */

/** A clock that stands still while a process waits for a processor. */
export class OwnClock {
  readonly #pid: number;

  /** @param pid of the process; its children count, too. */
  constructor(pid: number) {
    this.#pid = pid;
  }

  /**
   * The time in milliseconds since some moment, less what the thread that waited longest for a
   * processor has waited (/proc/<pid>/schedstat, the kernel's Documentation/scheduler/sched-stats).
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
      // It has ended.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return files;
}

/** How long a thread has waited for a processor, in milliseconds; 0 where the kernel does not say. */
async function waited(schedstat: string): Promise<number> {
  const text = await Deno.readTextFile(schedstat).catch(() => "");
  return Number(text.split(" ")[1] ?? 0) / 1e6;
}
