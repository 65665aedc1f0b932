/**
 * The messages between a controller that explores and an agent that makes its calls: a line for
 * each program of calls, and a line with the results. Everything is validated: an agent makes no
 * other calls than these, and uses no other ports than its own.
 *
 * @module
 */
import {
  CALL_FLAGS,
  CALL_IOCTLS,
  CALL_NAMES,
  CALL_OPTIONS,
  CALL_PORTS,
  type CallAnswer,
  type CallFlag,
  MACHINES,
  MAX_BACKLOG,
  MAX_CALL_BYTES,
  MAX_CALLS,
  MAX_OPTION,
  MAX_PIECES,
  MAX_SOCKETS,
  SETTABLE,
  SHUTDOWNS,
  type SocketCall,
} from "../core/socket_call.ts";
import { oneLine } from "../core/clean.ts";
import { integer, isRecord, MAX_WORD, parseObject, text, unexpected } from "./fields.ts";

/** The id that makes an agent accept programs; no case has it. */
export const PUPPET = "explore/puppet/calls";

/** The agent's first line: it is ready for programs. */
export const READY = "ready";
/** The line after the last program. */
export const NO_MORE = "end";

/** Calls that are made one after the other. */
export interface Program {
  readonly calls: readonly SocketCall[];
  /** Whether others follow on the same sockets; otherwise all sockets are closed at the end. */
  readonly more?: boolean;
}

/** The results of a program. */
export interface Played {
  /** The result of each call, up to the last one that was made. */
  readonly answers: readonly CallAnswer[];
  /** The errno that showed that packets of the last call did not arrive, if so. */
  readonly stalled?: string;
}

/** A program as a line. */
export function encodeProgram({ calls, more }: Program): string {
  return JSON.stringify({ calls, more });
}

/** @throws {ProtocolError} for anything that is not a program of these calls. */
export function decodeProgram(line: string): Program {
  const { calls, more } = parseObject(line, line);
  if (!Array.isArray(calls) || calls.length > MAX_CALLS) throw unexpected(line);
  if (more !== undefined && typeof more !== "boolean") throw unexpected(line);
  return { calls: calls.map(decodeCall), ...(more === undefined ? {} : { more }) };
}

/**
 * Validates a call.
 *
 * @throws {ProtocolError}
 */
export function decodeCall(value: unknown): SocketCall {
  if (!isRecord(value)) throw unexpected(JSON.stringify(value) ?? "nothing");
  const call = oneOf(value, "call", CALL_NAMES);
  const socket = integer(value, "socket", MAX_SOCKETS - 1);
  switch (call) {
    case "socket": {
      const type = oneOf(value, "type", ["stream", "seqpacket"]);
      const at = value.at === undefined ? {} : { at: oneOf(value, "at", MACHINES) };
      return { call, socket, type, ...at };
    }
    case "bind":
    case "connect":
      return { call, socket, port: integer(value, "port", CALL_PORTS - 1) };
    case "listen":
      return { call, socket, backlog: integer(value, "backlog", MAX_BACKLOG) };
    case "accept":
    case "dup":
      return { call, socket, as: integer(value, "as", MAX_SOCKETS - 1) };
    case "send":
      return { call, socket, pattern: integer(value, "pattern", MAX_WORD), ...transfer(value) };
    case "recv":
      return { call, socket, ...transfer(value) };
    case "shutdown":
      return { call, socket, how: oneOf(value, "how", SHUTDOWNS) };
    case "getsockopt":
      return { call, socket, option: oneOf(value, "option", CALL_OPTIONS) };
    case "setsockopt": {
      const option = oneOf(value, "option", SETTABLE);
      return { call, socket, option, value: integer(value, "value", MAX_OPTION) };
    }
    case "ioctl":
      return { call, socket, request: oneOf(value, "request", CALL_IOCTLS) };
    case "autobind":
    case "close":
    case "poll":
    case "getsockname":
    case "getpeername":
      return { call, socket };
  }
}

function transfer(value: Record<string, unknown>) {
  const { flags, wait, pieces } = value;
  const isList = Array.isArray(flags) && flags.length <= CALL_FLAGS.length &&
    flags.every((flag): flag is CallFlag => CALL_FLAGS.includes(flag));
  if (!isList || typeof wait !== "boolean") throw unexpected(JSON.stringify(value));
  return {
    length: integer(value, "length", MAX_CALL_BYTES),
    flags: flags as CallFlag[],
    wait,
    ...(pieces === undefined ? {} : { pieces: integer(value, "pieces", MAX_PIECES) }),
  };
}

function oneOf<const T extends string>(
  from: Record<string, unknown>,
  key: string,
  values: readonly T[],
): T {
  const given = from[key];
  const found = values.find((value) => value === given);
  if (found === undefined) throw unexpected(JSON.stringify(from));
  return found;
}

/** Makes the line for the results of a program. */
export function encodePlayed(played: Played): string {
  return JSON.stringify(played);
}

/** The maximum length of the name of an errno or a flag, in characters. */
const MAX_SYMBOL = 40;

/** @throws {ProtocolError} for anything that is not the results of that many calls. */
export function decodePlayed(line: string, calls: number): Played {
  const value = parseObject(line, line);
  const { answers, stalled } = value;
  if (!Array.isArray(answers) || answers.length > calls) throw unexpected(line);
  if (stalled === undefined && answers.length !== calls) throw unexpected(line);
  return {
    answers: answers.map((answer) => decodeAnswer(answer, line)),
    ...(stalled === undefined ? {} : { stalled: oneLine(text(value, "stalled", MAX_SYMBOL)) }),
  };
}

function decodeAnswer(value: unknown, line: string): CallAnswer {
  if (!isRecord(value)) throw unexpected(line);
  const { result, errno, flags, digest, cid, port } = value;
  if (typeof result !== "number" || !Number.isSafeInteger(result)) throw unexpected(line);
  const areFlags = flags === undefined || Array.isArray(flags) && flags.length <= 8 &&
      flags.every((flag) => typeof flag === "string" && flag.length <= MAX_SYMBOL);
  if (!areFlags) throw unexpected(line);
  return {
    result,
    ...(errno === undefined ? {} : { errno: oneLine(text(value, "errno", MAX_SYMBOL)) }),
    ...(flags === undefined ? {} : { flags: (flags as string[]).map(oneLine) }),
    ...(digest === undefined ? {} : { digest: integer(value, "digest", MAX_WORD) }),
    ...(cid === undefined ? {} : { cid: integer(value, "cid", MAX_WORD) }),
    ...(port === undefined ? {} : { port: integer(value, "port", MAX_WORD) }),
  };
}
