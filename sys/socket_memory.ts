/**
 * How much memory of the kinds that sockets are made of a kernel holds, exactly: what processors
 * keep at hand is given back first.
 *
 * What is kept at hand since Linux 7.0, for each processor: up to 128 struct sk_buff (the cache of
 * NAPI), as many packets that another processor took and that this one is to free
 * (skb_attempt_defer_free()), and in each slab cache what its sheaves hold.
 *
 * @module
 */
import { isUnavailable, writeAttribute } from "./kernel_file.ts";
import { AF_INET, AF_UNIX, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_DGRAM } from "./constants.ts";
import { registeredTransports } from "./transports.ts";
import { call } from "./libc.ts";
import { onEachProcessor, processors } from "./processors.ts";
import { bytes } from "./structs.ts";

/** How much there is of something. */
export interface SocketMemoryCount {
  /** What it is, in the plural. */
  readonly what: string;
  /** How much there is of it. */
  readonly count: number;
  /** How much of it comes and goes by itself. */
  readonly slack: number;
}

/** A kind of memory: the slab cache that it is of, and those whose count tells what is to be left out. */
interface Kind {
  readonly what: string;
  readonly cache: string;
  readonly without?: readonly string[];
}

const HEADS = "skbuff_head_cache";

/**
 * What an empty socket buffer of a guest's receive queue has its data in: it is of 4 KiB, with its
 * end beside it up to Linux 6.16, and in it since. The queue has as many as the device lets it, and
 * is filled up when half of them are used, so that hundreds come and go.
 */
const RING_DATA = ["kmalloc-4k", "kmalloc-8k"];
/** How many of them there are at least: half of what QEMU 7 lets a queue have. */
const FEWEST_IN_RING = 64;
/** Where a kernel has many caches of each size, nobody knows in which of them those are. */
const RANDOM_CACHE = /^kmalloc-rnd-/;

/** The kinds of memory that sockets are made of, counted. */
export class SocketMemory {
  readonly #kinds: readonly Kind[];
  /** How many heads come and go by themselves; undefined before anything was counted. */
  #slack: number | undefined;

  private constructor(kinds: readonly Kind[]) {
    this.#kinds = kinds;
  }

  /**
   * Looks which of them can be counted.
   *
   * @returns undefined where none can: the kernel does not tell (CONFIG_SLUB_DEBUG), or not this user.
   */
  static open(): SocketMemory | undefined {
    const heads = headsHere();
    const kinds: readonly (Kind | undefined)[] = [
      { what: "AF_VSOCK sockets", cache: "AF_VSOCK" },
      { what: "data areas of small packets", cache: "skbuff_small_head" },
      heads,
    ];
    const countable = kinds.filter((kind) =>
      kind !== undefined &&
      [kind.cache, ...kind.without ?? []].every((name) => objectsOf(name) !== undefined)
    ) as Kind[];
    return countable.length === 0 ? undefined : new SocketMemory(countable);
  }

  /** What is counted. */
  get watched(): string[] {
    return this.#kinds.map(({ what }) => what);
  }

  /** How much there is of each; nothing of what can be counted no longer. */
  read(): SocketMemoryCount[] {
    // Not before, since whoever does the same at that moment would be in the way.
    this.#slack ??= isAtHandFreed() ? 0 : HEADS_AT_HAND * processors().length;
    const heads = this.#slack;
    freeWhatIsAtHand();
    return this.#kinds.flatMap(({ what, cache, without = [] }) => {
      const [all, ...others] = [cache, ...without].map(objectsOf);
      if (all === undefined || others.includes(undefined)) return [];
      const rest = others.reduce<number>((sum, count) => sum + (count ?? 0), 0);
      return [{ what, count: all - rest, slack: cache === HEADS ? heads : 0 }];
    });
  }
}

/** The heads of socket buffers, without those of a guest's receive queue. */
function headsHere(): Kind | undefined {
  const kind = { what: "socket buffers", cache: HEADS };
  if (!registeredTransports().includes("virtio")) return kind;
  if (hasRandomCaches()) return undefined;
  // The driver alone, as a host has it, has no queue.
  const without = RING_DATA.filter((cache) => (objectsOf(cache) ?? 0) >= FEWEST_IN_RING);
  return { ...kind, without };
}

function hasRandomCaches(): boolean {
  try {
    return [...Deno.readDirSync(SLAB)].some(({ name }) => RANDOM_CACHE.test(name));
  } catch (error) {
    if (isUnavailable(error)) return false;
    throw error;
  }
}

const SLAB = "/sys/kernel/slab";

/** How many objects of a slab cache are in use, when its processors have given back the others. */
function objectsOf(cache: string): number | undefined {
  try {
    writeAttribute(`${SLAB}/${cache}/shrink`, "1");
    const count = Number.parseInt(Deno.readTextFileSync(`${SLAB}/${cache}/objects`));
    return Number.isSafeInteger(count) ? count : undefined;
  } catch (error) {
    if (isUnavailable(error)) return undefined;
    throw error;
  }
}

/** As many packets as a processor keeps heads of at most; so many fit a socket's send buffer. */
const MANY = 128;
/** How many heads a processor keeps at most where nothing makes it give them back: NAPI's cache. */
const HEADS_AT_HAND = 128;
/** How many of those that a processor was made to keep must be seen to be given back. */
const FEWEST = 32;
/** struct mmsghdr. All zero, it is a packet without data. */
const MMSGHDR_SIZE = 64;

/**
 * Has each processor free the packets that others left to it, which it does when one comes in, and
 * then use up the heads of socket buffers that it keeps: new packets take those first, and packets
 * of AF_UNIX do not become such.
 */
function freeWhatIsAtHand(): void {
  using packets = new LocalPackets();
  onEachProcessor(() => {
    packets.receive(1);
    packets.useHeads();
  });
}

/** How often that is tried before it is taken not to work. */
const TRIES = 3;

/** Whether that works. */
function isAtHandFreed(): boolean {
  return Array.from({ length: TRIES }).some(areHeadsFreed);
}

/** Has processors keep heads, and says whether they are gone then. */
function areHeadsFreed(): boolean {
  freeWhatIsAtHand();
  const before = objectsOf(HEADS);
  using packets = new LocalPackets();
  onEachProcessor(() => packets.receive(2 * FEWEST));
  const kept = objectsOf(HEADS);
  freeWhatIsAtHand();
  const after = objectsOf(HEADS);
  if (before === undefined || kept === undefined || after === undefined) return false;
  return kept - Math.max(before, after) >= FEWEST;
}

/** Sockets whose packets stay on this machine; closed when disposed of. */
class LocalPackets implements Disposable {
  readonly #udp = call("socket", AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  readonly #unix = new Int32Array([-1, -1]);
  readonly #messages = bytes(MMSGHDR_SIZE * MANY);

  constructor() {
    const address = bytes(16);
    // struct sockaddr_in: 127.0.0.1, and a port of the kernel's choice.
    new Uint16Array(address.buffer)[0] = AF_INET;
    address.set([127, 0, 0, 1], 4);
    call("bind", this.#udp, address, address.length);
    call("getsockname", this.#udp, address, new Int32Array([address.length]));
    call("connect", this.#udp, address, address.length);
    call("socketpair", AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, this.#unix);
  }

  /** Sends that many packets to this machine over its loopback device, and takes them. */
  receive(count: number): void {
    call("sendmmsg", this.#udp, this.#messages, count, MSG_DONTWAIT);
    call("recvmmsg", this.#udp, this.#messages, count, MSG_DONTWAIT, null);
  }

  /** Has many packets at the same time, without a device. */
  useHeads(): void {
    const [from = -1, to = -1] = this.#unix;
    call("sendmmsg", from, this.#messages, MANY, MSG_DONTWAIT);
    call("recvmmsg", to, this.#messages, MANY, MSG_DONTWAIT, null);
  }

  [Symbol.dispose](): void {
    for (const fd of [this.#udp, ...this.#unix]) call("close", fd);
  }
}
