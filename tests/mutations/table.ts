/**
 * Every mutation, family by family, and where it can be shown.
 *
 * @module
 */
import * as addressing from "./addressing.ts";
import * as diag from "./diag.ts";
import * as ioctl from "./ioctl.ts";
import * as multiDevice from "./multi-device.ts";
import * as namespaces from "./namespaces.ts";
import * as seqpacket from "./seqpacket.ts";
import * as sockopt from "./sockopt.ts";
import * as stream from "./stream.ts";
import * as transport from "./transport.ts";
import * as uring from "./uring.ts";
import * as zerocopy from "./zerocopy.ts";
import { type Mutation, mutationsOf, type ShownElsewhere } from "./mutation.ts";

/** Every mutation of a socket. */
export const MUTATIONS: readonly Mutation[] = mutationsOf([
  ...addressing.mutations,
  ...ioctl.mutations,
  ...namespaces.mutations,
  ...seqpacket.mutations,
  ...sockopt.mutations,
  ...stream.mutations,
  ...transport.mutations,
  ...zerocopy.mutations,
]);

/** What is wrong and not with a socket, such as a ring or a dump. */
export const SHOWN_ELSEWHERE: readonly ShownElsewhere[] = [
  ...addressing.shownElsewhere,
  ...diag.shownElsewhere,
  ...multiDevice.shownElsewhere,
  ...namespaces.shownElsewhere,
  ...transport.shownElsewhere,
  ...uring.shownElsewhere,
];

/** What AF_UNIX lacks that cases need: these only AF_VSOCK itself can play, in a VM. */
const BEYOND_AF_UNIX: Readonly<Record<string, RegExp>> = {
  "credit": /^stream\/credit\//,
  "MSG_ZEROCOPY and the error queue": /^(zerocopy|sockopt\/zerocopy)\//,
  "more than one transport": /^transport\//,
  "CIDs": /^addressing\//,
  "connect() that goes on in the background": /^stream\/accept-queue\/closed-all-the-time$/,
  "several devices": /^multi-device\//,
  "network namespaces": /^namespaces\//,
  "a SIOCOUTQ that leaves out what has arrived": /^stream\/linger\/no-wait-for-unread$/,
};

/** What AF_UNIX lacks to play a case; undefined where it can. */
export function lackingOnUnix(id: string): string | undefined {
  return Object.entries(BEYOND_AF_UNIX).find(([, ids]) => ids.test(id))?.[0];
}
