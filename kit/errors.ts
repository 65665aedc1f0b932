/**
 * Errors that a case only inspects.
 *
 * @module
 */
import { SysError } from "../sys/errno.ts";

/** The errno's name with which a call fails; undefined if it succeeds. */
export function errorOf(call: () => void): string | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof SysError) return error.code;
    throw error;
  }
  return undefined;
}
