/**
 * What a peer wrote, checked field by field: JSON with texts and numbers of bounded size.
 *
 * @module
 */

import { ExpectedError } from "../core/error.ts";
import { oneLine } from "../core/clean.ts";

/** The peer broke the protocol. */
export class ProtocolError extends ExpectedError {
  /** Tells it from other errors. */
  override readonly name: string = "ProtocolError";
}

/** The largest port, CID and seed. */
export const MAX_WORD = 0xffffffff;
/** Most characters of a name. */
export const MAX_NAME = 200;
/** Most things in a list. */
export const MAX_LIST = 64;

/** Text from a peer, as it can be shown in a message. */
export function quote(line: string): string {
  return JSON.stringify(oneLine(line.length > 80 ? `${line.slice(0, 80)}...` : line));
}

/** For a line that is none of those expected. */
export function unexpected(line: string): ProtocolError {
  return new ProtocolError(`the peer sent a message that makes no sense here: ${quote(line)}`);
}

/** Whether it is an object and no list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws {ProtocolError} where it is no object. */
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

/** @throws {ProtocolError} where it is none, or longer than that. */
export function text(from: Record<string, unknown>, key: string, max = Infinity): string {
  const value = from[key];
  if (typeof value !== "string" || value.length > max) throw unexpected(JSON.stringify(from));
  return value;
}

/** @throws {ProtocolError} where it is none, negative, or larger than that. */
export function integer(
  from: Record<string, unknown>,
  key: string,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = from[key];
  if (!isInteger(value, max)) throw unexpected(JSON.stringify(from));
  return value;
}

/** @throws {ProtocolError} where it is no list of those, or a long one. */
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
