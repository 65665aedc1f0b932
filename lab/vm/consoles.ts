/**
 * What the VMs' consoles say: their ends, for messages, and what a kernel that died left there.
 *
 * @module
 */
import { until } from "../../core/wait.ts";
import { oneLine } from "../../core/clean.ts";
import { quoteSplat } from "../../core/outcome.ts";
import { consoleLines, findSplats } from "../../core/splat.ts";
import { type LabAddress, vmsOf } from "../types.ts";
import { MARKS } from "../layout.ts";

/** How long a console may lag behind the connection that broke, in milliseconds. */
const LAG = 5000;
/** Lines of a console that are shown. */
const SHOWN = 25;

/** A console's text; none where there is no such file. */
export async function readConsole(path: string | undefined): Promise<string> {
  if (path === undefined) return "";
  const bytes = await Deno.readFile(path).catch(() => new Uint8Array());
  // Firmware clears the screen and moves the cursor; those sequences are of no use in a message.
  // deno-lint-ignore no-control-regex
  return new TextDecoder().decode(bytes).replace(/\x1b(c|\[[0-9;?]*[A-Za-z])/g, "");
}

/**
 * Whether a kernel says twice, a minute apart, that the same RCU grace period does not end (its
 * number is `g=`): a processor there does not go on. Said once it may be a busy machine's doing.
 */
export function isStalled(console: string): boolean {
  return /\bjiffies, g=(-?\d+), [^]*\bjiffies, g=\1, /.test(console);
}

/** Some words, with the end of the consoles behind them. */
export async function explainConsoles(what: string, consoles: readonly string[]): Promise<string> {
  const parts = [what];
  for (const path of consoles) {
    const lines = (await readConsole(path)).split("\n").map((line) => oneLine(line).trimEnd());
    const tail = lines.filter((line) => line !== "").slice(-SHOWN);
    if (tail.length > 0) parts.push(`the end of ${path}:`, ...tail.map((line) => `  | ${line}`));
  }
  return parts.join("\n");
}

/** Finds out what the kernels of a lab wrote to their consoles from now on. */
export class ConsoleWatch {
  readonly #consoles: (readonly [name: string, path: string, from: number])[];

  private constructor(consoles: (readonly [string, string, number])[]) {
    this.#consoles = consoles;
  }

  /** Begins where the consoles of a lab end now. */
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
   * The faults that the kernels reported since, as reasons; waits a little for them. What it has
   * given it does not give again.
   */
  async postMortem(): Promise<string[]> {
    const look = async () => {
      const found = await this.#reasons();
      return found.length > 0 && found;
    };
    return await until(look, { timeout: LAG, pause: 100 }) ?? [];
  }

  /** Whether the guest's QEMU has ended since, as its host says. */
  async guestEnded(): Promise<boolean> {
    const [[, path, from] = ["", "", 0]] = this.#consoles;
    return (await readConsole(path)).slice(from).includes(MARKS.guestEnded);
  }

  async #reasons(): Promise<string[]> {
    const found = await Promise.all(this.#consoles.map(async ([name, path, from], i) => {
      const whole = await readConsole(path);
      const text = whole.slice(from);
      // The last one is what it died of; those before it are in the reports of their cases.
      const last = findSplats(consoleLines(text)).slice(-1);
      if (last.length > 0) this.#consoles[i] = [name, path, whole.length];
      return last.flatMap((splat) => quoteSplat(splat, name)).map(oneLine);
    }));
    return found.flat();
  }
}
