import assert from "node:assert/strict";
import fc from "fast-check";
import { LineDecoder } from "./line_decoder.ts";
import { ProtocolError } from "./wire.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** Cuts data at random places. */
const split = (data: fc.Arbitrary<Uint8Array>) =>
  fc.tuple(data, fc.array(fc.nat(1000))).map(([bytes, places]) => {
    const cuts = [0, ...places.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b)];
    const chunks = cuts.map((at, i) => bytes.slice(at, cuts[i + 1] ?? bytes.length));
    return { bytes, chunks };
  });

/** The lines that chunks give, and the error that ended them, if any. */
function decodeAll(decoder: LineDecoder, chunks: Iterable<Uint8Array>) {
  const lines: string[] = [];
  try {
    for (const chunk of chunks) for (const line of decoder.push(chunk)) lines.push(line);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { lines, error: error.message };
  }
  return { lines, error: undefined };
}

const lineText = fc.string({ unit: "grapheme", maxLength: 30 })
  .map((text) => text.replaceAll("\n", " "));

Deno.test("LineDecoder gives back any lines, wherever the bytes are split", () => {
  fc.assert(fc.property(fc.array(lineText), fc.array(fc.nat(2000)), (lines, places) => {
    const bytes = encode(lines.map((line) => `${line}\n`).join(""));
    const cuts = [0, ...places.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b)];
    const chunks = cuts.map((at, i) => bytes.slice(at, cuts[i + 1] ?? bytes.length));
    const decoder = new LineDecoder();
    assert.deepEqual(decodeAll(decoder, chunks), { lines, error: undefined });
    assert.equal(decoder.held, 0);
  }));
});

Deno.test("LineDecoder throws nothing but ProtocolError, at the same place however it is split", () => {
  const bytes = fc.array(fc.oneof(fc.nat(255), fc.constant(0x0a)), { maxLength: 300 })
    .map((values) => Uint8Array.from(values));
  fc.assert(
    fc.property(split(bytes), ({ bytes, chunks }) => {
      const whole = decodeAll(new LineDecoder(20), [bytes]);
      const pieces = decodeAll(new LineDecoder(20), chunks);
      assert.deepEqual(pieces, whole);
      assert.ok(pieces.lines.every((line) => encode(line).length <= 20));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("LineDecoder holds no more than its limit, whatever is sent", () => {
  const chunk = fc.uint8Array({ maxLength: 40 });
  fc.assert(fc.property(fc.array(chunk), fc.nat(50), (chunks, limit) => {
    const decoder = new LineDecoder(limit);
    for (const chunk of chunks) {
      const { error } = decodeAll(decoder, [chunk]);
      if (error !== undefined) return;
      assert.ok(decoder.held <= limit);
    }
  }));
});

Deno.test("LineDecoder keeps none of the caller's memory", () => {
  const decoder = new LineDecoder();
  const chunk = encode("abc");
  assert.deepEqual([...decoder.push(chunk)], []);
  chunk.fill(0x78);
  assert.deepEqual([...decoder.push(encode("d\n"))], ["abcd"]);
});

Deno.test("LineDecoder takes a line of exactly its limit, and refuses one byte more", () => {
  assert.deepEqual([...new LineDecoder(4).push(encode("abcd\n\n"))], ["abcd", ""]);
  for (const text of ["abcde", "abcde\n", "ab\nabcde"]) {
    assert.throws(() => [...new LineDecoder(4).push(encode(text))], {
      name: "ProtocolError",
      message: "the peer sent a line of more than 4 bytes",
    });
  }
});

Deno.test("LineDecoder refuses bad UTF-8, behind the good lines before it", () => {
  for (const bad of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf]]) {
    const bytes = Uint8Array.of(0x61, 0x0a, ...bad, 0x0a);
    const { lines, error } = decodeAll(new LineDecoder(), [bytes]);
    assert.deepEqual([lines, error], [["a"], "the peer sent a line that is not UTF-8 text"]);
  }
});
