/**
 * The greeting in our protocol: how both ends introduce themselves, and how an agent refuses a
 * controller.
 *
 * @module
 */
import { cleanStrings, oneLine } from "../core/clean.ts";
import type { EndFacts, LeakFacts } from "../core/event.ts";
import { decodeMachine } from "./end_facts.ts";
import {
  integer,
  integers,
  MAX_LIST,
  MAX_NAME,
  MAX_WORD,
  parseObject,
  ProtocolError,
  quote,
  text,
  unexpected,
} from "./fields.ts";

/** The other end refuses this one: the token is missing or wrong, or the versions differ. */
export class RefusedError extends ProtocolError {
  /** Tells it from other errors. */
  override readonly name = "RefusedError";
}

/** An agent is serving another controller, and may serve this one later. */
export class BusyError extends ProtocolError {
  /** Tells it from other errors. */
  override readonly name = "BusyError";
}

/** The name and version of our protocol. */
const DIALECT = "vsock-conformance/2";

/** The beginning of the first line of either side, which is followed by the facts as JSON. */
export const HELLO: string = `HELLO ${DIALECT}`;
/** Its beginning in any version. */
export const ANY_HELLO = "HELLO vsock-conformance/";

/** The beginnings of lines that say why an agent refuses a controller, and why it is busy. */
const REFUSED = "REFUSED ";
const BUSY = "BUSY ";
/** The maximum length of such a reason, in characters. */
const MAX_WHY = 400;

/** The maximum length of the reason that an end is not watched, in characters. */
const MAX_TEXT = 1000;
/** The maximum time of a leak check after a case, in milliseconds. */
const MAX_LEAK_TIME = 300_000;

/** The first and the last of a range of AF_VSOCK ports. */
export type PortRange = readonly [first: number, last: number];

/** An end's greeting. */
export interface Greeting {
  /** The facts about itself. */
  readonly facts: EndFacts;
  /** The token, from a controller. */
  readonly token?: string;
  /** The ports that cases may use, from an agent. */
  readonly ports?: PortRange;
  /** The name of the controller's run, which stays the same if it reconnects. */
  readonly session?: string;
  /** The sides of that run for which an agent has recovered reports. */
  readonly resumed?: readonly number[];
}

/** Makes the line that introduces an end. */
export function encodeHello(facts: EndFacts, more: Omit<Greeting, "facts"> = {}): string {
  return `${HELLO} ${JSON.stringify({ ...facts, ...more })}`;
}

/** Makes the line with which an agent refuses a controller. */
export function encodeRefusal(error: RefusedError | BusyError): string {
  return (error instanceof BusyError ? BUSY : REFUSED) + error.message.slice(0, MAX_WHY);
}

/**
 * Parses the line that introduces the other end.
 *
 * @throws {RefusedError | BusyError} if it refuses this end, or has another version.
 * @throws {ProtocolError} if it is something else; the message says what, if known.
 */
export function decodeHello(line: string): Greeting {
  refuseOthers(line);
  const said = parseObject(line.slice(HELLO.length + 1), line);
  const { localCid, localCids, unwatched, leaks, session, resumed, token, ports } = said;
  const facts = cleanStrings({
    name: text(said, "name", MAX_NAME),
    kernel: text(said, "kernel", MAX_NAME),
    machine: text(said, "machine", MAX_NAME),
    version: text(said, "version", MAX_NAME),
    ...(localCid === undefined ? {} : { localCid: integer(said, "localCid", MAX_WORD) }),
    ...(localCids === undefined ? {} : { localCids: integers(said, "localCids", MAX_WORD) }),
    ...(unwatched === undefined ? {} : { unwatched: text(said, "unwatched", MAX_TEXT) }),
    ...(leaks === undefined ? {} : { leaks: leakFacts(leaks, line) }),
    ...decodeMachine(said),
  });
  return {
    facts,
    ...(session === undefined ? {} : { session: sessionName(said, line) }),
    ...(resumed === undefined ? {} : { resumed: integers(said, "resumed") }),
    ...(token === undefined ? {} : { token: text(said, "token", MAX_NAME) }),
    ...(ports === undefined ? {} : { ports: portRange(said, line) }),
  };
}

/** @throws {ProtocolError} for a line that is not a greeting of this version. */
function refuseOthers(line: string): void {
  if (line.startsWith(`${HELLO} `)) return;
  if (line === "NEXT" || line === "SKIP") {
    throw new ProtocolError(
      `the peer speaks the protocol of the kernel's vsock_test ("${line}"); ` +
        "use --mode, --control-host and --control-port without a command to run against it",
    );
  }
  for (const [word, Kind] of [[REFUSED, RefusedError], [BUSY, BusyError]] as const) {
    if (!line.startsWith(word)) continue;
    throw new Kind(`the peer refused: ${oneLine(line.slice(word.length, word.length + MAX_WHY))}`);
  }
  const version = /^\d{1,9}(?= )/.exec(line.slice(ANY_HELLO.length))?.[0];
  if (line.startsWith(ANY_HELLO) && version !== undefined) {
    throw new RefusedError(
      `one side speaks ${ANY_HELLO.slice(6)}${version} and the other ${DIALECT}: ` +
        "use the same version of the tool on both",
    );
  }
  throw new ProtocolError(`the peer does not speak ${DIALECT}: it wrote ${quote(line)}`);
}

/** @throws {ProtocolError} if an agent could not record it in its crash journal. */
function sessionName(from: Record<string, unknown>, line: string): string {
  const session = text(from, "session");
  if (!/^[\x20-\x7e]{1,100}$/.test(session)) throw unexpected(line);
  return session;
}

/** @throws {ProtocolError} */
function portRange(from: Record<string, unknown>, line: string): PortRange {
  const [first, last, ...more] = integers(from, "ports", MAX_WORD);
  if (first === undefined || last === undefined || more.length > 0 || first > last) {
    throw unexpected(line);
  }
  return [first, last];
}

/** @throws {ProtocolError} */
function leakFacts(value: unknown, line: string): LeakFacts {
  const { watched, milliseconds } = typeof value === "object" && value !== null
    ? value as Partial<Record<keyof LeakFacts, unknown>>
    : {};
  const isList = Array.isArray(watched) && watched.length <= MAX_LIST &&
    watched.every((what) => typeof what === "string" && what.length <= MAX_NAME);
  const isTime = typeof milliseconds === "number" && milliseconds >= 0 &&
    milliseconds <= MAX_LEAK_TIME;
  if (!isList || !isTime) {
    throw new ProtocolError(`the peer does not say how it checks for leaks: ${quote(line)}`);
  }
  return { watched, milliseconds };
}
