/**
 * Reads the VMs' consoles: their last lines, for messages, and the faults that kernels reported.
 *
 * @module
 */
import { until } from "../../core/wait.ts";
import { oneLine } from "../../core/clean.ts";
import { quoteSplat } from "../../core/outcome.ts";
import { consoleLines, findSplats } from "../../core/splat.ts";
import { type LabAddress, vmsOf } from "../types.ts";
import { MARKS } from "../layout.ts";

/** How much later than the loss of a connection a console may show the reason, in milliseconds. */
const LAG = 5000;
/** The number of lines of a console that are shown. */
const SHOWN = 25;

/** A console's text; empty if there is no such file. */
export async function readConsole(path: string | undefined): Promise<string> {
  if (path === undefined) return "";
  const bytes = await Deno.readFile(path).catch(() => new Uint8Array());
  // Drop the sequences with which firmware clears the screen and moves the cursor.
  // deno-lint-ignore no-control-regex
  return new TextDecoder().decode(bytes).replace(/\x1b(c|\[[0-9;?]*[A-Za-z])/g, "");
}

/**
 * Whether a kernel reports twice, a minute apart, that the same RCU grace period (`g=`) does not
 * end: one of its processors is stuck. A single report may be due to a busy machine.
 */
export function isStalled(console: string): boolean {
  return /\bjiffies, g=(-?\d+), [^]*\bjiffies, g=\1, /.test(console);
}

/** A message followed by the last lines of the consoles. */
export async function explainConsoles(what: string, consoles: readonly string[]): Promise<string> {
  const parts = [what];
  for (const path of consoles) {
    const lines = (await readConsole(path)).split("\n").map((line) => oneLine(line).trimEnd());
    const tail = lines.filter((line) => line !== "").slice(-SHOWN);
    if (tail.length > 0) parts.push(`the end of ${path}:`, ...tail.map((line) => `  | ${line}`));
  }
  return parts.join("\n");
}

/** Watches what the kernels of a lab write to their consoles from now on. */
export class ConsoleWatch {
  readonly #consoles: (readonly [name: string, path: string, from: number])[];

  private constructor(consoles: (readonly [string, string, number])[]) {
    this.#consoles = consoles;
  }

  /** Starts at the current end of the consoles. */
  static async begin(lab: Pick<LabAddress, "vms">): Promise<ConsoleWatch> {
    return new ConsoleWatch(
      await Promise.all(
        vmsOf(lab).map(async ({ name, console }) => {
          return [name, console, (await readConsole(console)).length] as const;
        }),
      ),
    );
  }

  /**
   * The faults that the kernels have reported since, as reasons. It waits for them a little, and
   * returns each only once.
   */
  async postMortem(): Promise<string[]> {
    const look = async () => {
      const found = await this.#reasons();
      return found.length > 0 && found;
    };
    return await until(look, { timeout: LAG, pause: 100 }) ?? [];
  }

  /** Whether the guest's QEMU has exited since, according to the host's console. */
  async guestEnded(): Promise<boolean> {
    const [[, path, from] = ["", "", 0]] = this.#consoles;
    return (await readConsole(path)).slice(from).includes(MARKS.guestEnded);
  }

  async #reasons(): Promise<string[]> {
    const found = await Promise.all(this.#consoles.map(async ([name, path, from], i) => {
      const whole = await readConsole(path);
      const text = whole.slice(from);
      // The kernel died of the last one; the earlier ones are in the reports of their cases.
      const last = findSplats(consoleLines(text)).slice(-1);
      if (last.length > 0) this.#consoles[i] = [name, path, whole.length];
      return last.flatMap((splat) => quoteSplat(splat, name)).map(oneLine);
    }));
    return found.flat();
  }
}
