/**
 * Every mutation, and where it can be shown.
 *
 * @module
 */
import { ACCEPTING } from "./accepting.ts";
import { ADDRESSES } from "./addresses.ts";
import { CLOSING } from "./closing.ts";
import { CONNECTIONS } from "./connections.ts";
import { EVENTS } from "./events.ts";
import { FLOW } from "./flow.ts";
import { HALF_CLOSE } from "./half_close.ts";
import { INTERRUPTIONS } from "./interruptions.ts";
import { CONNECTING } from "./connecting.ts";
import { CREATION } from "./creation.ts";
import { ERRORS } from "./errors.ts";
import { KERNEL_FAULTS, KERNEL_FAULTS_TEST } from "./kernel_faults.ts";
import { MESSAGES } from "./messages.ts";
import { type Mutation, mutationsOf } from "./mutation.ts";
import { NAMESPACES } from "./namespaces.ts";
import { RECORDS } from "./records.ts";
import { OPTIONS } from "./options.ts";
import { QUEUES } from "./queues.ts";
import { ROUTES } from "./routes.ts";
import { STREAMS } from "./streams.ts";
import { ZEROCOPY } from "./zerocopy.ts";

/** Every mutation of a socket. */
export const MUTATIONS: readonly Mutation[] = mutationsOf([
  ...CONNECTIONS,
  ...STREAMS,
  ...MESSAGES,
  ...QUEUES,
  ...ZEROCOPY,
  ...ADDRESSES,
  ...ROUTES,
  ...NAMESPACES,
  ...FLOW,
  ...RECORDS,
  ...HALF_CLOSE,
  ...CLOSING,
  ...EVENTS,
  ...INTERRUPTIONS,
  ...CREATION,
  ...CONNECTING,
  ...ACCEPTING,
  ...OPTIONS,
  ...ERRORS,
]);

/**
 * A wrongness that is not a socket's, such as a ring's or a dump's, and that a test of its own
 * shows.
 */
export interface ShownElsewhere extends Pick<Mutation, "id" | "on" | "what" | "noticed"> {
  /** The file of the test, from the root of the repository. */
  readonly file: string;
  /** What the file has in it of the test's name. */
  readonly test: string;
}

/** Those. */
export const SHOWN_ELSEWHERE: readonly ShownElsewhere[] = [
  {
    id: "diag/dump/lists-no-socket",
    on: "server",
    what: "sock_diag lists a socket that was closed",
    noticed: "server",
    file: "suites/diag/dump_test.ts",
    test: "diag/dump/lists-no-socket fails where a closed socket stays listed",
  },
  {
    id: "diag/dump/lists-listener",
    on: "server",
    what: "sock_diag ignores the bitmap of states",
    noticed: "server",
    file: "suites/diag/dump_test.ts",
    test: "diag/dump/lists-listener fails where the bitmap of states is ignored",
  },
  {
    id: "diag/dump/lists-connection",
    on: "client",
    what: "sock_diag gives a wrong entry for a connection",
    noticed: "client",
    file: "suites/diag/dump_test.ts",
    test: "diag/dump/lists-connection fails where",
  },
  {
    id: "addressing/device/names-own-cid",
    on: "client",
    what: "/dev/vsock names another CID",
    noticed: "client",
    file: "suites/addressing/device_test.ts",
    test: "addressing/device/names-own-cid fails where /dev/vsock names another CID",
  },
  {
    id: "addressing/device/refuses-wrong-requests",
    on: "client",
    what: "/dev/vsock takes every request",
    noticed: "client",
    file: "suites/addressing/device_test.ts",
    test: "addressing/device/refuses-wrong-requests fails where /dev/vsock takes every request",
  },
  {
    id: "device/calls/carries-nothing",
    on: "client",
    what: "/dev/vsock can be read",
    noticed: "client",
    file: "suites/device/calls_test.ts",
    test: "device/calls/carries-nothing fails where /dev/vsock can be read",
  },
  {
    id: "device/calls/requests-are-exact",
    on: "client",
    what: "/dev/vsock ignores a request's type",
    noticed: "client",
    file: "suites/device/calls_test.ts",
    test: "device/calls/requests-are-exact fails where /dev/vsock ignores a request's type",
  },
  ...["stream", "seqpacket"].map((type) => ({
    id: `connect/nonblocking/${type}-again-after-refusal`,
    on: "client",
    what: "connect() stays under way when it was refused",
    noticed: "client",
    file: "suites/connect/nonblocking_test.ts",
    test: "connect() after a refusal warns where it stays under way",
  } as const)),
  ...["stream", "seqpacket"].map((type) => ({
    id: `addressing/destination/${type}-fallback`,
    on: "client",
    what: "g2h_fallback changes nothing",
    noticed: "client",
    file: "suites/addressing/destination_test.ts",
    test: "fails where g2h_fallback changes nothing",
  } as const)),
  ...[
    ["mode/is-read-only", "ns_mode can be written"],
    ["mode/child-mode-is-written-once", "child_ns_mode can be written twice"],
    ["mode/child-inherits", "a child is always global"],
    ["mode/local-makes-no-global", "a local namespace has global children"],
    ["cid/same-twice", "a CID is taken for its namespace only"],
    ["cid/found-from", "a guest is found from every namespace"],
    ["loopback/seqpacket-in-local", "SOCK_SEQPACKET is refused"],
  ].map(([claim = "", what = ""]) => ({
    id: `namespaces/${claim}`,
    on: "client",
    what,
    noticed: "client",
    file: "suites/namespaces/fake_test.ts",
    test: claim.startsWith("loopback/") ? "warns where" : "fails on a kernel that",
  } as const)),
  ...KERNEL_FAULTS.flatMap(({ ids, guest, what }) =>
    ids.map((id): ShownElsewhere => ({
      ...{ id, what: `kernel errs: ${what}`, on: guest, noticed: guest },
      file: KERNEL_FAULTS_TEST,
      test: "every case of several devices notices kernels that err",
    }))
  ),
  {
    id: "transport/change/refused-after-interrupted-connect",
    on: "client",
    what: "connect() to where no transport leads goes on",
    noticed: "client",
    file: "suites/transport/change_test.ts",
    test: "transport/change/refused-after-interrupted-connect fails where it goes on",
  },
  {
    id: "uring/sendmsg/arrives-whole",
    on: "client",
    what: "io_uring sends the pieces in another order",
    noticed: "server",
    file: "suites/uring/stream_test.ts",
    test: "uring/sendmsg/arrives-whole fails where the pieces are sent in another order",
  },
  {
    id: "uring/sendmsg-zc/arrives-whole-and-notifies",
    on: "client",
    what: "io_uring announces no notification",
    noticed: "client",
    file: "suites/uring/stream_test.ts",
    test: "uring/sendmsg-zc fails where no notification is announced",
  },
];

/** What AF_UNIX lacks that cases need: these only AF_VSOCK itself can play, in a VM. */
const BEYOND_AF_UNIX: Readonly<Record<string, RegExp>> = {
  "credit":
    /^(stream\/credit|flow\/(window|credit|connections))\/|^flow\/long\/more|^(events\/timeout\/send|signals\/short)/,
  "a window for packets of any size": /^flow\/data\/(seqpacket|small)|^signals\/eintr\/.*-send$/,
  "messages of AF_VSOCK's size and flags":
    /^messages\/(?!waitall\/stream-(waits|short)|eor\/stream)/,
  "its poll() and shutdown()":
    /^(events\/(poll|epoll|own-shutdown|peers-end)|half-close\/(read-side|shutdown|both))/,
  "a close() with unread input that resets nothing": /^close\/(unread-input|same-.*old-one)/,
  "MSG_ZEROCOPY and the error queue": /^(zerocopy|sockopt\/zerocopy)\//,
  "more than one transport": /^transport\//,
  "CIDs": /^addressing\//,
  "connect() that goes on in the background":
    /^(stream\/accept-queue\/closed-all-the-time$|signals\/connect\/)/,
  "the types, options and errors of AF_VSOCK":
    /^(sockets|connect|accept|options|errors\/calls|device)\//,
  "several devices": /^multi-device\//,
  "network namespaces": /^namespaces\//,
  "a SIOCOUTQ that leaves out what has arrived": /^stream\/linger\/no-wait-for-unread$/,
};

/** What AF_UNIX lacks to play a case; undefined where it can. */
export function lackingOnUnix(id: string): string | undefined {
  return Object.entries(BEYOND_AF_UNIX).find(([, ids]) => ids.test(id))?.[0];
}

/**
 * Cases that Linux fails today (docs/kernels.md): sockets that do as they must only AF_UNIX has.
 * Where that cannot play them, their mutations show over AF_VSOCK in what is said besides.
 */
const FAILED_BY_LINUX = [
  /^errors\/memory\/(stream|seqpacket)-send$/,
  /^messages\/(torn|small\/two-thousand-unread)/,
  /^half-close\/after-peers-close\/.*-all-read$/,
  /^signals\/connect\//,
];

/** Whether Linux passes a case today. */
export function passesOnLinux(id: string): boolean {
  return !FAILED_BY_LINUX.some((pattern) => pattern.test(id));
}
