/**
 * Validates JSON from a peer field by field: texts and numbers of bounded size.
 *
 * @module
 */

import { ExpectedError } from "../core/error.ts";
import { oneLine } from "../core/clean.ts";

/** The peer violated the protocol. */
export class ProtocolError extends ExpectedError {
  /** Tells it from other errors. */
  override readonly name: string = "ProtocolError";
}

/** The largest port, CID and seed. */
export const MAX_WORD = 0xffffffff;
/** The maximum length of a name, in characters. */
export const MAX_NAME = 200;
/** The maximum number of elements in a list. */
export const MAX_LIST = 64;

/** Text from a peer, made safe for a message. */
export function quote(line: string): string {
  return JSON.stringify(oneLine(line.length > 80 ? `${line.slice(0, 80)}...` : line));
}

/** The error for an unexpected line. */
export function unexpected(line: string): ProtocolError {
  return new ProtocolError(`the peer sent a message that makes no sense here: ${quote(line)}`);
}

/** Whether it is an object, and not a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws {ProtocolError} if it is not an object. */
export function parseObject(json: string, line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw unexpected(line);
  }
  if (!isRecord(value)) throw unexpected(line);
  return value;
}

/** @throws {ProtocolError} if it is not a text, or is longer than that. */
export function text(from: Record<string, unknown>, key: string, max = Infinity): string {
  const value = from[key];
  if (typeof value !== "string" || value.length > max) throw unexpected(JSON.stringify(from));
  return value;
}

/** @throws {ProtocolError} if it is not a number, is negative, or is larger than that. */
export function integer(
  from: Record<string, unknown>,
  key: string,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = from[key];
  if (!isInteger(value, max)) throw unexpected(JSON.stringify(from));
  return value;
}

/** @throws {ProtocolError} if it is not a list of such elements, or is too long. */
export function integers(
  from: Record<string, unknown>,
  key: string,
  max: number = Number.MAX_SAFE_INTEGER,
): number[] {
  const value = from[key];
  const isList = Array.isArray(value) && value.length <= MAX_LIST &&
    value.every((item) => isInteger(item, max));
  if (!isList) throw unexpected(JSON.stringify(from));
  return value;
}

function isInteger(value: unknown, max: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= max;
}
