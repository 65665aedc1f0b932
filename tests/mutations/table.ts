/**
 * Every mutation, and where it can be shown.
 *
 * @module
 */
import { CONNECTIONS } from "./connections.ts";
import { MESSAGES } from "./messages.ts";
import { type Mutation, mutationsOf } from "./mutation.ts";
import { QUEUES } from "./queues.ts";
import { STREAMS } from "./streams.ts";
import { ZEROCOPY } from "./zerocopy.ts";

/** Every mutation of a socket. */
export const MUTATIONS: readonly Mutation[] = mutationsOf([
  ...CONNECTIONS,
  ...STREAMS,
  ...MESSAGES,
  ...QUEUES,
  ...ZEROCOPY,
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
export const SHOWN_ELSEWHERE: readonly ShownElsewhere[] = [];

/** What AF_UNIX lacks that cases need: these only AF_VSOCK itself can play, in a VM. */
const BEYOND_AF_UNIX: Readonly<Record<string, RegExp>> = {
  "credit": /^stream\/credit\//,
  "MSG_ZEROCOPY and the error queue": /^(zerocopy|sockopt\/zerocopy)\//,
  "more than one transport": /^transport\//,
  "a SIOCOUTQ that leaves out what has arrived": /^stream\/linger\/no-wait-for-unread$/,
};

/** What AF_UNIX lacks to play a case; undefined where it can. */
export function lackingOnUnix(id: string): string | undefined {
  return Object.entries(BEYOND_AF_UNIX).find(([, ids]) => ids.test(id))?.[0];
}
