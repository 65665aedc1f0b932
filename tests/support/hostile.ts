/**
 * What a hostile peer may write, as generators of fast-check, and how it may write it.
 *
 * @module
 */
import fc from "fast-check";
import { encodeHello } from "../../control/greeting.ts";
import { encodeMessage } from "../../control/wire.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** What our peers say of themselves. */
export const FACTS = { name: "peer", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };

const id = fc.constantFrom("stream/close", "../../etc/passwd", "a/b/c", "", "__proto__");
const run = fc.oneof(fc.nat(20), fc.constant(-1), fc.constant(2 ** 60), fc.constant(1.5));
const start = fc.record({
  type: fc.constant("start"),
  run,
  id,
  role: fc.constantFrom("client", "server", "both"),
  port: fc.nat(),
  seed: fc.nat(),
  timeout: fc.nat(1000),
}, { noNullPrototype: true });
const other = fc.record({
  type: fc.constantFrom("line", "stop", "step", "done", "explode"),
  run,
  text: fc.string(),
  why: fc.string(),
  report: fc.jsonValue(),
}, { noNullPrototype: true });

/** A line of the dialect, or nearly one. */
const nearlyGood = fc.oneof(
  { weight: 3, arbitrary: start.map((order) => JSON.stringify(order)) },
  { weight: 2, arbitrary: other.map((order) => JSON.stringify(order)) },
  fc.constant(encodeMessage({ type: "line", run: 1, text: "LISTENING" })),
  fc.constant(encodeHello(FACTS)),
  fc.constantFrom("NEXT", "GET / HTTP/1.1", "null", "[]", "{}", '{"__proto__":{"type":"start"}}'),
);

/** Bytes of a hostile peer: nonsense, lines that are nearly right, very long ones. */
export const hostileBytes: fc.Arbitrary<Uint8Array<ArrayBuffer>> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: nearlyGood.map((line) => encode(`${line}\n`)) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    fc.constant(encode("x".repeat(1024 * 1024))),
  ),
  { maxLength: 12 },
).map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

/** A peer: whether it greets rightly, what it writes, in how many pieces, and how it ends. */
export interface Hostile {
  readonly greets: boolean;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly pieces: number;
  /** How it ends: at once, after it has read for a while, or not by itself. */
  readonly ends: "close" | "read" | "stay";
}

/** Peers of every kind. */
export const hostile: fc.Arbitrary<Hostile> = fc.record({
  greets: fc.boolean(),
  bytes: hostileBytes,
  pieces: fc.integer({ min: 1, max: 20 }),
  ends: fc.constantFrom("close" as const, "read" as const, "stay" as const),
});

/** Closes a connection, unless that was done. */
export function closeOnce(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** How long a peer that ends by itself reads at most, in milliseconds. */
const READING = 50;

/** Behaves so on a connection; gives up where the other side closes it. */
export async function behave(connection: Deno.TcpConn, how: Hostile): Promise<void> {
  const { greets, bytes, pieces, ends } = how;
  const size = Math.max(1, Math.ceil(bytes.length / pieces));
  const reading = (async () => {
    const into = new Uint8Array(64 * 1024);
    while (await connection.read(into) !== null);
  })().catch(() => {});
  try {
    if (greets) await connection.write(encode(`${encodeHello(FACTS)}\n`));
    for (let at = 0; at < bytes.length; at += size) {
      const piece = bytes.subarray(at, at + size);
      for (let done = 0; done < piece.length;) {
        done += await connection.write(piece.subarray(done));
      }
    }
    if (ends === "read") {
      await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, READING))]);
    }
    if (ends === "stay") await reading;
  } catch {
    // The other side has closed it.
  }
  closeOnce(connection);
  await reading;
}
