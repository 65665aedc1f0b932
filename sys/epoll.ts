/**
 * epoll(7): what has become ready of several descriptors, by level or by edge.
 *
 * @module
 */
import { SysError } from "./errno.ts";
import { type CallContext, Descriptor } from "./descriptor.ts";
import { call } from "./libc.ts";
import { type Bytes, bytes } from "./structs.ts";

// Events of linux/eventpoll.h; the first have the values of poll(2)'s.

/** There is something to read. */
export const EPOLLIN = 0x01;
/** There is room to write. */
export const EPOLLOUT = 0x04;
/** An error is pending. */
export const EPOLLERR = 0x08;
/** Both directions have ended. */
export const EPOLLHUP = 0x10;
/** The peer sends no more. */
export const EPOLLRDHUP = 0x2000;
/** Reports once, then again only after EPOLL_CTL_MOD. */
export const EPOLLONESHOT = 0x4000_0000;
/** Edge-triggered: reports changes, not states. */
export const EPOLLET = 0x8000_0000;

/** epoll_create1(2) and epoll_ctl(2). */
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;

/** Most events of one epoll_wait(2). */
const MAX_EVENTS = 16;

/** struct epoll_event, which x86-64 packs: its size, and where its data begins. */
const LAYOUT = Deno.build.arch === "x86_64" ? { size: 12, data: 4 } : { size: 16, data: 8 };

/** What epoll_wait(2) says of one descriptor. */
export interface EpollEvent {
  /** The descriptor. */
  readonly fd: number;
  /** EPOLLIN and others. */
  readonly events: number;
}

/** An epoll instance; closed when disposed of. */
export class Epoll extends Descriptor {
  /** epoll_create1(2). @throws {SysError} EMFILE, ... */
  static open(context: CallContext = {}): Epoll {
    context.trace?.("epoll_create1()");
    const fd = call("epoll_create1", EPOLL_CLOEXEC);
    if (fd < 0) throw new SysError("epoll_create1()", -fd);
    return new Epoll(fd, context);
  }

  /** Watches a descriptor. @throws {SysError} EEXIST, EPERM, ... */
  add(descriptor: Descriptor, events: number): void {
    this.#control("EPOLL_CTL_ADD", EPOLL_CTL_ADD, descriptor, events);
  }

  /** Watches it for something else, and arms it again. @throws {SysError} ENOENT, ... */
  modify(descriptor: Descriptor, events: number): void {
    this.#control("EPOLL_CTL_MOD", EPOLL_CTL_MOD, descriptor, events);
  }

  /** Watches it no more. @throws {SysError} ENOENT, ... */
  remove(descriptor: Descriptor): void {
    this.#control("EPOLL_CTL_DEL", EPOLL_CTL_DEL, descriptor, 0);
  }

  /**
   * epoll_wait(2).
   *
   * @param milliseconds -1 to wait for ever (until the signal), 0 not to wait.
   * @returns nothing where the time ran out.
   */
  async wait(milliseconds = -1): Promise<EpollEvent[]> {
    const events = bytes(MAX_EVENTS * LAYOUT.size);
    const shown = `${milliseconds} ms`;
    const { result } = await this.callBlocking(
      "epoll_wait",
      shown,
      events,
      MAX_EVENTS,
      milliseconds,
    );
    const view = new DataView(events.buffer);
    return Array.from({ length: result }, (_, i) => ({
      fd: view.getInt32(i * LAYOUT.size + LAYOUT.data, true),
      events: view.getUint32(i * LAYOUT.size, true),
    }));
  }

  #control(name: string, operation: number, { fd }: Descriptor, events: number): void {
    const shown = `${name}, ${fd}, 0x${events.toString(16)}`;
    this.call("epoll_ctl", shown, operation, fd, encodeEvent(fd, events));
  }
}

function encodeEvent(fd: number, events: number): Bytes {
  const event = bytes(LAYOUT.size);
  const view = new DataView(event.buffer);
  view.setUint32(0, events, true);
  view.setInt32(LAYOUT.data, fd, true);
  return event;
}
