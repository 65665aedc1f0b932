/**
 * eventfd(2): a counter that one side adds to and the other waits for.
 *
 * @module
 */
import { O_CLOEXEC, O_NONBLOCK } from "./constants.ts";
import { type CallContext, Descriptor } from "./descriptor.ts";
import { SysError } from "./errno.ts";
import { call } from "./libc.ts";
import { bytes, u64 } from "./structs.ts";

/** A counter; closed when disposed of. */
export class EventFd extends Descriptor {
  /** A counter at 0, whose calls do not wait. */
  static open(context: CallContext = {}): EventFd {
    // EFD_CLOEXEC and EFD_NONBLOCK are open(2)'s flags.
    const fd = call("eventfd", 0, O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) throw new SysError("eventfd()", -fd);
    return new this(fd, context);
  }

  /** One that another process has made, and sent. */
  static received(fd: number, context: CallContext = {}): EventFd {
    return new this(fd, context);
  }

  /** Adds 1, which wakes whoever waits for it. */
  signal(): void {
    this.call("write", "1", u64(1n), 8);
  }

  /** Sets the counter to 0; gives what it was. */
  drain(): number {
    const counter = bytes(8);
    try {
      this.call("read", "8", counter, 8);
    } catch (error) {
      if (error instanceof SysError && error.code === "EAGAIN") return 0;
      throw error;
    }
    return Number(new DataView(counter.buffer).getBigUint64(0, true));
  }
}
