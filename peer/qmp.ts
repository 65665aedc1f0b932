/**
 * QEMU's monitor (QMP): commands and their answers as JSON, a line each.
 *
 * @module
 */
import { LineChannel } from "./channel.ts";

/** How long the monitor may take to answer, in milliseconds. */
const ANSWER_TIME = 10_000;
/** The longest line that is taken, in bytes: some answers are long lists. */
const MAX_LINE = 1024 * 1024;
/** How long a guest may take to let go of a device, in milliseconds. */
const UNPLUG_TIME = 30_000;

/** What the monitor writes: its greeting, an answer, or an event. */
interface Message {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly event?: string;
  readonly data?: { readonly device?: string };
}

/** The monitor refused a command. */
export class MonitorError extends Error {
  /** Tells it from other errors. */
  override readonly name = "MonitorError";
}

/** A vsock device, as the monitor can plug it in again. */
export interface PluggedDevice {
  /** Its id in QEMU. */
  readonly id: string;
  /** The guest's CID at it. */
  readonly cid: number;
  /** The bus that it is on. */
  readonly bus: string;
}

/** A connection to a monitor, which serves one at a time. */
export class Qmp implements Disposable {
  readonly #channel: LineChannel;
  readonly #events: Message[] = [];

  private constructor(channel: LineChannel) {
    this.#channel = channel;
  }

  /** Connects to the monitor's Unix socket. */
  static async connect(path: string): Promise<Qmp> {
    const monitor = new Qmp(
      new LineChannel(await Deno.connect({ transport: "unix", path }), MAX_LINE),
    );
    try {
      await monitor.#read(ANSWER_TIME);
      await monitor.execute("qmp_capabilities");
      return monitor;
    } catch (error) {
      monitor[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * The device with that CID; it must have an id of its own, and a bus from which it can be
   * unplugged.
   *
   * @throws {MonitorError} where there is none.
   */
  async findDevice(cid: number): Promise<PluggedDevice> {
    const found = await this.execute("qom-list", { path: PERIPHERAL }) as { name: string }[];
    for (const { name: id } of found) {
      const get = (property: string) =>
        this.execute("qom-get", { path: `${PERIPHERAL}/${id}`, property });
      const isIt = await get("guest-cid").catch(notThere) === cid;
      if (!isIt) continue;
      const bus = String(await get("parent_bus")).split("/").at(-1) ?? "";
      return { id, cid, bus };
    }
    throw new MonitorError(`this QEMU has no vsock device with the CID ${cid} and an id`);
  }

  /** Takes a device from the guest, and waits until it has let go. */
  async unplug({ id }: PluggedDevice): Promise<void> {
    await this.execute("device_del", { id });
    const isGone = ({ event, data }: Message) => event === "DEVICE_DELETED" && data?.device === id;
    while (!this.#events.some(isGone)) await this.#read(UNPLUG_TIME);
  }

  /** Gives a device back. */
  async plug({ id, cid, bus }: PluggedDevice): Promise<void> {
    const device = { driver: "vhost-vsock-pci", id, "guest-cid": cid, bus };
    await this.execute("device_add", device);
  }

  /**
   * Has QEMU do something.
   *
   * @returns what it answers.
   * @throws {MonitorError} where it cannot.
   */
  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    await this.#channel.writeLine(JSON.stringify({ execute: command, arguments: args }));
    for (;;) {
      const answer = await this.#read(ANSWER_TIME);
      if (answer.error !== undefined) {
        throw new MonitorError(`${command}: ${answer.error.desc}`);
      }
      if ("return" in answer) return answer.return;
    }
  }

  async #read(milliseconds: number): Promise<Message> {
    const message: Message = JSON.parse(await this.#channel.readLine(milliseconds));
    if (message.event !== undefined) this.#events.push(message);
    return message;
  }

  /** Lets go of the monitor. */
  [Symbol.dispose](): void {
    this.#channel.close();
  }
}

/** Where QEMU keeps the devices that have an id. */
const PERIPHERAL = "/machine/peripheral";

/** For a device that has no such property: it is no vsock device. */
function notThere(error: unknown): undefined {
  if (!(error instanceof MonitorError)) throw error;
}
