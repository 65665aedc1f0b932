/**
 * QEMU's monitor: commands and their answers as JSON, a line each (QMP).
 *
 * @module
 */
import { LineChannel } from "../peer/channel.ts";
import { LabError } from "./error.ts";

/** How long QEMU may take to answer, in milliseconds. */
const ANSWER_TIME = 10_000;
/** The longest line that is taken, in bytes. */
const MAX_LINE = 1024 * 1024;

/** A connection to a monitor; closed when disposed of. */
export class Monitor implements Disposable {
  readonly #channel: LineChannel;

  private constructor(channel: LineChannel) {
    this.#channel = channel;
  }

  /**
   * Connects to a monitor.
   *
   * @param path of its Unix socket.
   */
  static async open(path: string): Promise<Monitor> {
    const channel = new LineChannel(
      await Deno.connect({ transport: "unix", path }),
      MAX_LINE,
    );
    try {
      const monitor = new Monitor(channel);
      await channel.readLine(ANSWER_TIME);
      await monitor.execute("qmp_capabilities");
      return monitor;
    } catch (error) {
      channel.close();
      throw error;
    }
  }

  /**
   * Has QEMU do something.
   *
   * @returns what it answers.
   * @throws {LabError} where it cannot.
   */
  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    await this.#channel.writeLine(JSON.stringify({ execute: command, arguments: args }));
    for (;;) {
      const line = JSON.parse(await this.#channel.readLine(ANSWER_TIME));
      if (line.error !== undefined) throw new LabError(`QEMU: ${command}: ${line.error.desc}`);
      // Between the answers there are events.
      if ("return" in line) return line.return;
    }
  }

  [Symbol.dispose](): void {
    this.#channel.close();
  }
}
