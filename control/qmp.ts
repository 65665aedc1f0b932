/**
 * A client of QEMU's monitor (QMP): commands and replies as JSON, one per line.
 *
 * @module
 */
import { LineChannel, SilentPeerError } from "./channel.ts";

/** How long the monitor may take to reply, in milliseconds. */
const ANSWER_TIME = 10_000;
/** The maximum length of a line, in bytes: some replies are long lists. */
const MAX_LINE = 1024 * 1024;
/** How long a guest may take to release a device, in milliseconds. */
const UNPLUG_TIME = 30_000;

/** A message from the monitor: its greeting, a reply, or an event. */
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

/** A vsock device, with what is needed to plug it in again. */
export interface PluggedDevice {
  /** Its id in QEMU. */
  readonly id: string;
  /** The guest's CID on it. */
  readonly cid: number;
  /** The bus that it is on. */
  readonly bus: string;
}

/** A connection to a monitor, which serves one client at a time. */
export class Qmp implements Disposable {
  readonly #channel: LineChannel;
  readonly #answerTime: number;
  /** The ids of the devices that the guest has released. */
  readonly #gone = new Set<string>();

  private constructor(channel: LineChannel, answerTime: number) {
    this.#channel = channel;
    this.#answerTime = answerTime;
  }

  /**
   * Connects to the monitor's Unix socket.
   *
   * @param answerTime how long it may take to reply, in milliseconds.
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
   * Finds the device with a CID; it must have an id, and be on a bus from which it can be
   * unplugged.
   *
   * @throws {MonitorError} if there is none.
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

  /** Unplugs a device, and waits until the guest has released it. */
  async unplug({ id }: PluggedDevice): Promise<void> {
    this.#gone.delete(id);
    await this.execute("device_del", { id });
    const isGone = () => this.#gone.has(id) ? true : undefined;
    await this.#until(`unplug ${id}`, "let go", UNPLUG_TIME, isGone);
  }

  /** Plugs a device in again. */
  async plug({ id, cid, bus }: PluggedDevice): Promise<void> {
    const device = { driver: "vhost-vsock-pci", id, "guest-cid": cid, bus };
    await this.execute("device_add", device);
  }

  /**
   * Executes a command.
   *
   * @returns the reply.
   * @throws {MonitorError} if it fails.
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

  /** Reads messages until one is the wanted one. */
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

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#channel.close();
  }
}

/** The path in QOM of devices with an id. */
const PERIPHERAL = "/machine/peripheral";

/** For a device without that property, which is not a vsock device. */
function notThere(error: unknown): undefined {
  if (!(error instanceof MonitorError)) throw error;
}
