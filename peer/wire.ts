/**
 * The messages of our own dialect, a line each. Nothing here reads or writes; see
 * docs/architecture.md for the two protocols.
 *
 * @module
 */
import type { EndFacts, LeakFacts } from "../core/event.ts";
import type { SideReport, SideState } from "../core/outcome.ts";
import type { Role } from "../core/case.ts";
import type { Splat } from "../core/splat.ts";

/** The peer broke the protocol. */
export class ProtocolError extends Error {
  /** Tells it from other errors. */
  override readonly name: string = "ProtocolError";
}

/** An agent refuses this controller, as it does while it serves another. */
export class RefusedError extends ProtocolError {
  /** Tells it from other errors. */
  override readonly name = "RefusedError";

  /** @param why in the agent's words. */
  constructor(why: string) {
    super(`the peer refused: ${why}`);
  }
}

/** The first line that either side of our dialect writes, with the facts as JSON behind it. */
export const HELLO = "HELLO vsock-conformance/1";

/** What an agent is told of a side of a case that it is to run. */
export interface SideStart {
  /** Counts up within the controller's run; every later message about this case carries it. */
  readonly run: number;
  /** The case's id. */
  readonly id: string;
  /** The role that this side plays. */
  readonly role: Role;
  /** The AF_VSOCK port of the server; the case may use the next one as well. */
  readonly port: number;
  /** The seed of the case's randomness. */
  readonly seed: number;
  /** The case's deadline, in milliseconds. */
  readonly timeout: number;
  /** There where other cases may run at the same time, here or on the other side. */
  readonly beside?: true;
}

/** Has an agent run a side of a case. */
export interface StartOrder extends SideStart {
  /** Tells it from other orders. */
  readonly type: "start";
}

/** What the controller asks of an agent. */
export type Order =
  | StartOrder
  | { readonly type: "line"; readonly run: number; readonly text: string }
  | { readonly type: "stop"; readonly run: number; readonly why: string };

/** What an agent answers. */
export type Answer =
  | { readonly type: "line"; readonly run: number; readonly text: string }
  /** What a side is doing that takes it longer. */
  | { readonly type: "step"; readonly run: number; readonly text: string }
  | { readonly type: "done"; readonly run: number; readonly report: SideReport };

/** The longest that an end may take to look for leaks after a case, in milliseconds. */
const MAX_LEAK_TIME = 300_000;

/** A message as a line. */
export function encodeMessage(message: Order | Answer): string {
  return JSON.stringify(message);
}

/** How an end introduces itself. */
export interface Greeting {
  readonly facts: EndFacts;
  /** Names the run that the controller makes, however often it has to connect. */
  readonly session?: string;
  /** The sides of that run on which an agent will report although its process died in them. */
  readonly resumed?: readonly number[];
}

/** The line that introduces an end. */
export function encodeHello(facts: EndFacts, more: Omit<Greeting, "facts"> = {}): string {
  return `${HELLO} ${JSON.stringify({ ...facts, ...more })}`;
}

/**
 * Reads the line that introduces the other end.
 *
 * @throws {ProtocolError} where it is something else; says what, if that is known.
 */
export function decodeHello(line: string): Greeting {
  if (line === "NEXT" || line === "SKIP") {
    throw new ProtocolError(
      `the peer speaks the protocol of the kernel's vsock_test ("${line}"); ` +
        "use --mode, --control-host and --control-port without a command to stand opposite it",
    );
  }
  if (line.startsWith("REFUSED ")) throw new RefusedError(line.slice(8));
  if (!line.startsWith(`${HELLO} `)) {
    throw new ProtocolError(`the peer is no vsock-conformance/1: it wrote ${quote(line)}`);
  }
  const said = parseObject(line.slice(HELLO.length + 1), line);
  const { localCid, localCids, unwatched, leaks, session, resumed } = said;
  const facts = {
    name: text(said, "name"),
    kernel: text(said, "kernel"),
    machine: text(said, "machine"),
    version: text(said, "version"),
    ...(typeof localCid === "number" ? { localCid } : {}),
    ...(Array.isArray(localCids) ? { localCids: localCids.filter(Number.isSafeInteger) } : {}),
    ...(typeof unwatched === "string" ? { unwatched } : {}),
    ...(leaks === undefined ? {} : { leaks: leakFacts(leaks, line) }),
  };
  return {
    facts,
    ...(typeof session === "string" ? { session } : {}),
    ...(Array.isArray(resumed) ? { resumed: resumed.filter(Number.isSafeInteger) } : {}),
  };
}

/** @throws {ProtocolError} */
function leakFacts(value: unknown, line: string): LeakFacts {
  const { watched, milliseconds } = typeof value === "object" && value !== null
    ? value as Partial<Record<keyof LeakFacts, unknown>>
    : {};
  const isList = Array.isArray(watched) && watched.every((what) => typeof what === "string");
  const isTime = typeof milliseconds === "number" && milliseconds >= 0 &&
    milliseconds <= MAX_LEAK_TIME;
  if (!isList || !isTime) {
    throw new ProtocolError(`the peer does not say how it looks for leaks: ${quote(line)}`);
  }
  return { watched, milliseconds };
}

/** @throws {ProtocolError} */
export function decodeOrder(line: string): Order {
  const message = parseObject(line, line);
  const run = integer(message, "run");
  switch (message.type) {
    case "start": {
      const role = text(message, "role");
      if (role !== "client" && role !== "server") throw unexpected(line);
      return {
        type: "start",
        run,
        role,
        id: text(message, "id"),
        port: integer(message, "port"),
        seed: integer(message, "seed"),
        timeout: integer(message, "timeout"),
        ...(message.beside === true ? { beside: true } : {}),
      };
    }
    case "line":
      return { type: "line", run, text: text(message, "text") };
    case "stop":
      return { type: "stop", run, why: text(message, "why") };
    default:
      throw unexpected(line);
  }
}

/** @throws {ProtocolError} */
export function decodeAnswer(line: string): Answer {
  const message = parseObject(line, line);
  const run = integer(message, "run");
  switch (message.type) {
    case "line":
    case "step":
      return { type: message.type, run, text: text(message, "text") };
    case "done":
      return { type: "done", run, report: sideReport(message.report, line) };
    default:
      throw unexpected(line);
  }
}

const SIDE_STATES: readonly SideState[] = [
  "pass",
  "fail",
  "timeout",
  "broken",
  "skip",
  "stopped",
];

function sideReport(value: unknown, line: string): SideReport {
  if (!isRecord(value)) throw unexpected(line);
  const state = SIDE_STATES.find((known) => known === value.state);
  const { reasons } = value;
  if (state === undefined || !Array.isArray(reasons)) throw unexpected(line);
  // A side that says it failed must say why; one that gives reasons did not pass.
  if ((state === "pass") !== (reasons.length === 0)) throw unexpected(line);
  return {
    state,
    reasons: reasons.map((reason) => String(reason)),
    step: text(value, "step"),
    milliseconds: integer(value, "milliseconds"),
    ...(value.died === true ? { died: true as const } : {}),
    ...(value.splats === undefined ? {} : { splats: splats(value.splats, line) }),
  };
}

function splats(value: unknown, line: string): Splat[] {
  if (!Array.isArray(value) || !value.every((splat) => Array.isArray(splat) && splat.length > 0)) {
    throw unexpected(line);
  }
  return value.map((splat: unknown[]) => splat.map((text) => String(text)));
}

/** Text from a peer, as it can be shown in a message. */
export function quote(line: string): string {
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}...` : line);
}

function unexpected(line: string): ProtocolError {
  return new ProtocolError(`the peer sent a message that makes no sense here: ${quote(line)}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseObject(json: string, line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw unexpected(line);
  }
  if (!isRecord(value)) throw unexpected(line);
  return value;
}

function text(from: Record<string, unknown>, key: string): string {
  const value = from[key];
  if (typeof value !== "string") throw unexpected(JSON.stringify(from));
  return value;
}

function integer(from: Record<string, unknown>, key: string): number {
  const value = from[key];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw unexpected(JSON.stringify(from));
  }
  return value;
}
