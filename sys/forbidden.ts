/**
 * The guard that keeps a process away from the machine's own AF_VSOCK.
 *
 * @module
 */

/** The environment variable that makes this process refuse AF_VSOCK. */
export const FORBID_VSOCK = "VSOCK_CONFORMANCE_FORBID_VSOCK";

/** This process is to keep away from AF_VSOCK. */
export class ForbiddenError extends Error {
  override readonly name = "ForbiddenError";
}

/** @throws {ForbiddenError} where this process is to keep away from AF_VSOCK. */
export function refuseForbidden(what: string): void {
  if (!Deno.env.get(FORBID_VSOCK)) return;
  throw new ForbiddenError(`Cannot open ${what}: ${FORBID_VSOCK} is set`);
}
