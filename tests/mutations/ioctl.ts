/**
 * What the cases of ioctl/ must notice.
 *
 * @module
 */
import type { Address } from "../../sys/structs.ts";
import { sendLosesLastByte } from "./data.ts";
import { failure, type Mutate, replacing, type Row } from "./mutation.ts";

/** What asks before a case whether there is such an ioctl uses connectHere(), and sees nothing. */
const failsOnceConnected: Mutate = (Base) =>
  class extends Base {
    #connected = false;

    override async connect(address: Address): Promise<void> {
      await super.connect(address);
      this.#connected = true;
    }

    override ioctlInt(request: number): number {
      if (this.#connected) throw failure("ioctl(3)", "EINVAL");
      return super.ioctlInt(request);
    }
  };

const always = (value: number) => replacing("ioctlInt", () => value);

function unsent(id: string): Row[] {
  return [
    [id, "client", "SIOCOUTQ counts what was received", always(64), /received all: expected 0/],
    [id, "client", "SIOCOUTQ fails once connected", failsOnceConnected, /received all: .*EINVAL/],
  ];
}

/** SIOCINQ gives what it gave first for ever. */
const countsWhatWasRead: Mutate = (Base) =>
  class extends Base {
    #first: number | undefined;

    override ioctlInt(request: number): number {
      const value = super.ioctlInt(request);
      if (value > 0) this.#first ??= value;
      return this.#first ?? value;
    }
  };

function unread(id: string): Row[] {
  return [
    [id, "client", "SIOCINQ is always 0", always(0), /before recv\(\): expected 64, got 0/],
    [id, "client", "SIOCINQ counts what was read", countsWhatWasRead, /after recv\(\): expected 0/],
    [id, "server", "send() loses a byte", sendLosesLastByte, /expected 64, got 63/, {
      noticed: "client",
    }],
  ];
}

/** Sockets that count what is queued otherwise. */
export const mutations: readonly Row[] = [
  ...unsent("ioctl/siocoutq/stream-zero-after-receipt"),
  ...unsent("ioctl/siocoutq/seqpacket-zero-after-receipt"),
  ...unread("ioctl/siocinq/stream-counts-unread"),
  ...unread("ioctl/siocinq/seqpacket-counts-unread"),
];
