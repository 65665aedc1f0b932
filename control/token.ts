/**
 * Tokens, which a controller must present to an agent.
 *
 * @module
 */

/** A new random token of 128 bits. */
export function newToken(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Compares tokens in a time that does not depend on where they differ. */
export function isSameToken(expected: string, given: string): boolean {
  const encoder = new TextEncoder();
  const [a, b] = [encoder.encode(expected), encoder.encode(given)];
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i % b.length] ?? 0);
  return difference === 0;
}

/**
 * The variable with the token of `agent` and `run`, which other users cannot see, unlike arguments.
 */
export const TOKEN_VARIABLE = "VSOCK_CONFORMANCE_TOKEN";
