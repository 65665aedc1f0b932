/**
 * Wrong kernels for several devices: what fixtures/kernel/multi-device/faults makes of them when it
 * is told so, and the cases that must notice.
 *
 * @module
 */
import type { Role } from "../../core/case.ts";

/** A wrongness of a guest's kernel. */
export interface KernelFault {
  /** As /sys/module/vsock/parameters/fault takes it; without, the kernel errs by itself. */
  readonly name?: string;
  /** Takes the driver from the second device first. */
  readonly unbound?: boolean;
  /** In words. */
  readonly what: string;
  /** The cases that must notice. */
  readonly ids: readonly string[];
  /** The side that the guest with the wrong kernel plays. */
  readonly guest: Role;
  /** What must be said. */
  readonly reason: RegExp;
}

const both = (topic: string, claim: string) =>
  ["stream", "seqpacket"].map((type) => `multi-device/${topic}/${type}-${claim}`);

/** The file that shows them. */
export const KERNEL_FAULTS_TEST = "tests/vm/multi_device_test.ts";

/** Each wrongness, with the cases that are about it. */
export const KERNEL_FAULTS: readonly KernelFault[] = [
  {
    name: "lists-twice",
    what: "a CID is listed twice, and another not at all",
    ids: ["multi-device/cids/listed-once"],
    guest: "client",
    reason: /how many of the CIDs 4,4,5 differ: expected 3, got 2/,
  },
  {
    name: "binds-default-only",
    what: "one can bind to the default device's CID only",
    ids: both("cids", "bound-at-once"),
    guest: "client",
    reason: /bind\(\) to CID 3: .*EADDRNOTAVAIL/,
  },
  {
    name: "only-default-is-local",
    what: "what is for another device of its own is sent to the host",
    ids: both("cids", "stays-here"),
    guest: "client",
    reason: /connect\(\) to CID 3: .*ENODEV/,
  },
  {
    name: "last-is-default",
    what: "unbound sockets use another device than the default one",
    ids: both("connect", "unbound-from-default"),
    guest: "client",
    reason: /the CID of the client: expected 4, got 5/,
  },
  {
    name: "sends-from-default",
    what: "the bound CID is ignored: all is sent through the default device",
    ids: [...both("connect", "from-bound-cid"), "multi-device/data/hundred-connections"],
    guest: "client",
    reason: /connect\(\) (from|for) CID 3: .*ETIMEDOUT/,
  },
  {
    name: "forgets-local-cid",
    what: "connections are told apart by port and peer only",
    ids: both("connect", "same-port-at-each"),
    guest: "client",
    reason: /what came for CID|recv\(1, 0\)|connect\(\) from CID/,
  },
  {
    name: "listens-everywhere",
    what: "a listener takes what is addressed to any of its CIDs",
    ids: both("listen", "at-one-cid"),
    guest: "server",
    reason: /while . listens: expected ECONNRESET, but it returned/,
  },
  {
    name: "names-default",
    what: "what is accepted is named by the default device's CID",
    ids: [...both("listen", "at-any-cid"), "multi-device/data/hundred-connections-accepted"],
    guest: "server",
    reason: /CID of what was accepted: expected 3, got 4/,
  },
  {
    name: "default-seqpacket-only",
    what: "SOCK_SEQPACKET works through the default device only",
    ids: ["multi-device/data/seqpacket-bounds"],
    guest: "client",
    reason: /connect\(\) for CID 3: .*ESOCKTNOSUPPORT/,
  },
  {
    name: "default-seqpacket-only",
    what: "SOCK_SEQPACKET works through the default device only",
    ids: ["multi-device/data/seqpacket-bounds-accepted"],
    guest: "server",
    reason: /connect\(\) for CID 3: .*ECONNRESET/,
  },
  {
    name: "copies-always",
    what: "MSG_ZEROCOPY copies",
    ids: ["multi-device/data/zerocopy"],
    guest: "client",
    reason: /whether it was copied: expected false, got true/,
  },
  {
    name: "copies-always",
    what: "MSG_ZEROCOPY copies",
    ids: ["multi-device/data/zerocopy-accepted"],
    guest: "server",
    reason: /whether it was copied: expected false, got true/,
  },
  {
    name: "credit-of-one",
    what: "all connections wait for the credit of one",
    ids: ["multi-device/data/stalls-alone"],
    guest: "client",
    reason: /had not ended/,
  },
  {
    name: "credit-of-one",
    what: "all connections wait for the credit of one",
    ids: ["multi-device/data/stalls-alone-accepted"],
    guest: "server",
    reason: /had not ended/,
  },
  {
    name: "resets-all",
    what: "a device that is unplugged takes all connections along",
    ids: ["multi-device/unplug/last-of-client", "multi-device/unplug/default-of-client"],
    guest: "client",
    reason: /recv\(1, 0\)|send\(1, 0\)/,
  },
  {
    name: "resets-all",
    what: "a device that is unplugged takes all connections along",
    ids: ["multi-device/unplug/last-of-server", "multi-device/unplug/default-of-server"],
    guest: "server",
    reason: /recv\(1, 0\)|send\(1, 0\)/,
  },
  {
    unbound: true,
    what: "a kernel for one device takes a second one",
    ids: ["multi-device/stock/second-is-busy"],
    guest: "client",
    reason: /expected EBUSY, but it returned/,
  },
];
