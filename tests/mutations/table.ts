/**
 * Every mutation, family by family, and where it can be shown.
 *
 * @module
 */
import * as accept from "./accept.ts";
import * as addressing from "./addressing.ts";
import * as bpf from "./bpf.ts";
import * as close from "./close.ts";
import * as connect from "./connect.ts";
import * as device from "./device.ts";
import * as diag from "./diag.ts";
import * as errors from "./errors.ts";
import * as events from "./events.ts";
import * as explored from "./explored.ts";
import * as flow from "./flow.ts";
import * as halfClose from "./half-close.ts";
import * as hybrid from "./hybrid.ts";
import * as ioctl from "./ioctl.ts";
import * as messages from "./messages.ts";
import * as multiDevice from "./multi-device.ts";
import * as namespaces from "./namespaces.ts";
import * as options from "./options.ts";
import * as seqpacket from "./seqpacket.ts";
import * as signals from "./signals.ts";
import * as sockets from "./sockets.ts";
import * as sockopt from "./sockopt.ts";
import * as stream from "./stream.ts";
import * as transport from "./transport.ts";
import * as uring from "./uring.ts";
import * as wire from "./wire.ts";
import * as zerocopy from "./zerocopy.ts";
import { type Mutation, mutationsOf, type ShownElsewhere } from "./mutation.ts";

/** Every mutation of a socket. */
export const MUTATIONS: readonly Mutation[] = mutationsOf([
  ...accept.mutations,
  ...addressing.mutations,
  ...bpf.mutations,
  ...close.mutations,
  ...connect.mutations,
  ...errors.mutations,
  ...events.mutations,
  ...flow.mutations,
  ...halfClose.mutations,
  ...ioctl.mutations,
  ...messages.mutations,
  ...namespaces.mutations,
  ...options.mutations,
  ...seqpacket.mutations,
  ...signals.mutations,
  ...sockets.mutations,
  ...sockopt.mutations,
  ...stream.mutations,
  ...transport.mutations,
  ...wire.mutations,
  ...zerocopy.mutations,
]);

/** What is wrong and not with a socket, such as a ring or a dump. */
export const SHOWN_ELSEWHERE: readonly ShownElsewhere[] = [
  ...addressing.shownElsewhere,
  ...bpf.shownElsewhere,
  ...connect.shownElsewhere,
  ...device.shownElsewhere,
  ...diag.shownElsewhere,
  ...explored.shownElsewhere,
  ...hybrid.shownElsewhere,
  ...multiDevice.shownElsewhere,
  ...namespaces.shownElsewhere,
  ...transport.shownElsewhere,
  ...uring.shownElsewhere,
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
    /^(stream\/accept-queue\/closed-all-the-time$|signals\/(connect\/|eintr\/connect$))/,
  "the types, options and errors of AF_VSOCK":
    /^(sockets|connect|accept|options|errors\/calls|device)\//,
  "what the model says of AF_VSOCK": /^explored\//,
  "several devices": /^multi-device\//,
  "AF_VSOCK's sockets in a sockmap": /^bpf\//,
  "a host's device for a raw guest": /^wire\//,
  "network namespaces": /^namespaces\//,
  "a SIOCOUTQ that leaves out what has arrived": /^stream\/linger\/no-wait-for-unread$/,
};

/** What AF_UNIX lacks to play a case; undefined where it can. */
export function lackingOnUnix(id: string): string | undefined {
  return Object.entries(BEYOND_AF_UNIX).find(([, ids]) => ids.test(id))?.[0];
}
