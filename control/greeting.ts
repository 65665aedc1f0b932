/**
 * How the two ends of our dialect introduce themselves to each other, and how one turns the other
 * away.
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

/** The other end will not talk to this one: it has no token, or another version. */
export class RefusedError extends ProtocolError {
  /** Tells it from other errors. */
  override readonly name = "RefusedError";
}

/** An agent serves another controller now, and may serve this one later. */
export class BusyError extends ProtocolError {
  /** Tells it from other errors. */
  override readonly name = "BusyError";
}

/** What both sides of our dialect call it, and its version: that of these messages. */
const DIALECT = "vsock-conformance/2";

/** The first line that either side of our dialect writes, with the facts as JSON behind it. */
export const HELLO: string = `HELLO ${DIALECT}`;
/** What it begins with in any version. */
export const ANY_HELLO = "HELLO vsock-conformance/";

/** In front of why an agent will not serve a controller, and of why it will not do so now. */
const REFUSED = "REFUSED ";
const BUSY = "BUSY ";
/** Most characters of that. */
const MAX_WHY = 400;

/** Most characters of why something of an end is not watched. */
const MAX_TEXT = 1000;
/** The longest that an end may take to look for leaks after a case, in milliseconds. */
const MAX_LEAK_TIME = 300_000;

/** The first and the last of some AF_VSOCK ports. */
export type PortRange = readonly [first: number, last: number];

/** How an end introduces itself. */
export interface Greeting {
  /** What it says of itself. */
  readonly facts: EndFacts;
  /** The controller's: by it an agent knows who may use it. */
  readonly token?: string;
  /** The agent's: the ports that its cases may use. */
  readonly ports?: PortRange;
  /** Names the run that the controller makes, however often it has to connect. */
  readonly session?: string;
  /** The sides of that run on which an agent will report although its process died in them. */
  readonly resumed?: readonly number[];
}

/** The line that introduces an end. */
export function encodeHello(facts: EndFacts, more: Omit<Greeting, "facts"> = {}): string {
  return `${HELLO} ${JSON.stringify({ ...facts, ...more })}`;
}

/** The line by which an agent turns a controller away. */
export function encodeRefusal(error: RefusedError | BusyError): string {
  return (error instanceof BusyError ? BUSY : REFUSED) + error.message.slice(0, MAX_WHY);
}

/**
 * Reads the line that introduces the other end.
 *
 * @throws {RefusedError | BusyError} where it turns this one away, or has another version.
 * @throws {ProtocolError} where it is something else; says what, if that is known.
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

/** @throws {ProtocolError} for a line that introduces no end of this version. */
function refuseOthers(line: string): void {
  if (line.startsWith(`${HELLO} `)) return;
  if (line === "NEXT" || line === "SKIP") {
    throw new ProtocolError(
      `the peer speaks the protocol of the kernel's vsock_test ("${line}"); ` +
        "use --mode, --control-host and --control-port without a command to stand opposite it",
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

/** @throws {ProtocolError} where an agent could not write it down for its next process. */
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
