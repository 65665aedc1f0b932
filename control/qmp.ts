/**
 * QEMU's monitor (QMP): commands and their answers as JSON, a line each.
 *
 * @module
 */
import { LineChannel, SilentPeerError } from "./channel.ts";

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
  readonly #answerTime: number;
  /** Ids of the devices that the guest has let go of. */
  readonly #gone = new Set<string>();

  private constructor(channel: LineChannel, answerTime: number) {
    this.#channel = channel;
    this.#answerTime = answerTime;
  }

  /**
   * Connects to the monitor's Unix socket.
   *
   * @param answerTime how long it may take to answer, in milliseconds.
   */
  static async connect(path: string, answerTime: number = ANSWER_TIME): Promise<Qmp> {
    const connection = await Deno.connect({ transport: "unix", path });
    const monitor = new Qmp(new LineChannel(connection, MAX_LINE), answerTime);
    try {
      await monitor.#read(answerTime);
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
    this.#gone.delete(id);
    await this.execute("device_del", { id });
    const isGone = () => this.#gone.has(id) ? true : undefined;
    await this.#until(`unplug ${id}`, "let go", UNPLUG_TIME, isGone);
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
    const isAnswer = (message?: Message) =>
      message !== undefined && (message.error !== undefined || "return" in message)
        ? message
        : undefined;
    const answer = await this.#until(command, "answered", this.#answerTime, isAnswer);
    if (answer.error !== undefined) throw new MonitorError(`${command}: ${answer.error.desc}`);
    return answer.return;
  }

  /** Reads what the monitor writes until there is what is wanted, whatever else comes. */
  async #until<T>(
    what: string,
    did: string,
    milliseconds: number,
    wanted: (message?: Message) => T | undefined,
  ): Promise<T> {
    const deadline = performance.now() + milliseconds;
    const late = () =>
      new SilentPeerError(`${what}: the monitor had not ${did} after ${milliseconds / 1000} s`);
    for (let found = wanted();;) {
      if (found !== undefined) return found;
      const left = deadline - performance.now();
      if (left <= 0) throw late();
      try {
        found = wanted(await this.#read(left));
      } catch (error) {
        throw error instanceof SilentPeerError ? late() : error;
      }
    }
  }

  async #read(milliseconds: number): Promise<Message> {
    const message: Message = JSON.parse(await this.#channel.readLine(milliseconds));
    const id = message.data?.device;
    if (message.event === "DEVICE_DELETED" && id !== undefined) this.#gone.add(id);
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
