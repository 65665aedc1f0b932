/**
 * A monitor of QEMU's that answers as a test says.
 *
 * @module
 */
import { LineChannel } from "../../control/channel.ts";

/** What a monitor is told. */
export interface MonitorCommand {
  readonly execute: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** A monitor that listens. */
export class FakeMonitor implements Disposable {
  /** Its Unix socket, `monitor` in a folder of its own. */
  readonly path: string;
  /** How many have connected to it. */
  connections = 0;
  readonly #answer: (command: MonitorCommand) => Iterable<unknown>;
  readonly #listener: Deno.UnixListener;

  /** @param answer gives the messages that follow a command. */
  constructor(answer: (command: MonitorCommand) => Iterable<unknown>) {
    this.#answer = answer;
    this.path = `${Deno.makeTempDirSync()}/monitor`;
    this.#listener = Deno.listen({ transport: "unix", path: this.path });
    this.#serve();
  }

  async #serve(): Promise<void> {
    for await (const connection of this.#listener) {
      this.connections++;
      const channel = new LineChannel(connection);
      const say = (message: unknown) => channel.writeLine(JSON.stringify(message));
      try {
        await say({ QMP: { version: {}, capabilities: [] } });
        for (;;) {
          const command: MonitorCommand = JSON.parse(await channel.readLine());
          const known = command.execute === "qmp_capabilities"
            ? [{ return: {} }]
            : this.#answer(command);
          for (const message of known) await say(message);
        }
      } catch {
        channel.close();
      }
    }
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    Deno.removeSync(this.path.replace(/\/[^/]*$/, ""), { recursive: true });
  }
}
