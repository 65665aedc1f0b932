/**
 * The messages of our own protocol, one line each. Nothing here does I/O; see docs/internals.md for
 * the two protocols.
 *
 * @module
 */
import { cleanStrings, oneLine } from "../core/clean.ts";
import type { SideReport, SideState } from "../core/outcome.ts";
import type { Role } from "../core/case.ts";
import type { Splat } from "../core/splat.ts";
import { integer, isRecord, MAX_NAME, MAX_WORD, parseObject, text, unexpected } from "./fields.ts";
import { decodeKernel } from "./kernel_fields.ts";

export { ProtocolError, quote } from "./fields.ts";

/** The number of ports for each case that runs in parallel, beginning with its own. */
export const PORT_STRIDE = 16;

/** The maximum time in a message, in milliseconds, which is within the range of timers. */
export const MAX_TIME = 2_000_000_000;

/** The order to run a side of a case. */
export interface SideStart {
  /**
   * A number that increases during the controller's run; all later messages about this case have
   * it.
   */
  readonly run: number;
  /** The case's id. */
  readonly id: string;
  /** The role that this side plays. */
  readonly role: Role;
  /** The AF_VSOCK port of the server; the case may use the following ones as well. */
  readonly port: number;
  /** The seed of the case's randomness. */
  readonly seed: number;
  /** The case's deadline, in milliseconds. */
  readonly timeout: number;
}

/** Starts a side of a case on an agent. */
export interface StartOrder extends SideStart {
  /** Tells it from other orders. */
  readonly type: "start";
}

/** A message from the controller to an agent. */
export type Order =
  | StartOrder
  | { readonly type: "line"; readonly run: number; readonly text: string }
  | { readonly type: "stop"; readonly run: number; readonly why: string };

/** A message from an agent to the controller. */
export type Answer =
  | { readonly type: "line"; readonly run: number; readonly text: string }
  /** The step of a side, if it takes long. */
  | { readonly type: "step"; readonly run: number; readonly text: string }
  | { readonly type: "done"; readonly run: number; readonly report: SideReport };

/** Makes the line for a message. */
export function encodeMessage(message: Order | Answer): string {
  return JSON.stringify(message);
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
        id: text(message, "id", MAX_NAME),
        port: integer(message, "port", MAX_WORD),
        seed: integer(message, "seed", MAX_WORD),
        timeout: integer(message, "timeout", MAX_TIME),
      };
    }
    case "line":
      return { type: "line", run, text: text(message, "text") };
    case "stop":
      return { type: "stop", run, why: oneLine(text(message, "why")) };
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
      return { type: "line", run, text: text(message, "text") };
    case "step":
      return { type: "step", run, text: oneLine(text(message, "text")) };
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
  // A failed side must give reasons, and a side with reasons has not passed.
  if ((state === "pass") !== (reasons.length === 0)) throw unexpected(line);
  return cleanStrings({
    state,
    reasons: reasons.map((reason) => String(reason)),
    step: text(value, "step"),
    milliseconds: integer(value, "milliseconds", MAX_TIME),
    ...(value.died === true ? { died: true as const } : {}),
    ...(value.splats === undefined ? {} : { splats: splats(value.splats, line) }),
    ...(value.earlier === undefined ? {} : { earlier: splats(value.earlier, line) }),
    ...decodeKernel(value),
  });
}

function splats(value: unknown, line: string): Splat[] {
  if (!Array.isArray(value) || !value.every((splat) => Array.isArray(splat) && splat.length > 0)) {
    throw unexpected(line);
  }
  return value.map((splat: unknown[]) => splat.map((text) => String(text)));
}
