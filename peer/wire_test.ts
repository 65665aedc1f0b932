import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Answer,
  decodeAnswer,
  decodeHello,
  decodeOrder,
  encodeHello,
  encodeMessage,
  HELLO,
  LineDecoder,
  type Order,
  ProtocolError,
  quote,
} from "./wire.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const nat = fc.nat(Number.MAX_SAFE_INTEGER);

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

const role = fc.constantFrom("client" as const, "server" as const);
const start = fc.record<Order & { type: "start" }>({
  type: fc.constant("start"),
  run: nat,
  id: fc.string(),
  role,
  port: nat,
  seed: nat,
  timeout: nat,
}, { noNullPrototype: true });
const line = fc.record({
  type: fc.constant("line" as const),
  run: nat,
  text: fc.string({ unit: "grapheme" }),
}, { noNullPrototype: true });
const stop = fc.record({ type: fc.constant("stop" as const), run: nat, why: fc.string() }, {
  noNullPrototype: true,
});
const reasons = fc.array(fc.string({ unit: "grapheme" }), { minLength: 1 });
const reportOf = <S>(state: fc.Arbitrary<S>, reasons: fc.Arbitrary<string[]>) =>
  fc.record({ state, reasons, step: fc.string(), milliseconds: nat }, { noNullPrototype: true });
const report = fc.oneof(
  reportOf(fc.constant("pass" as const), fc.constant([])),
  reportOf(fc.constantFrom("fail", "timeout", "broken", "stopped"), reasons),
);
const done = fc.record<Answer & { type: "done" }>({ type: fc.constant("done"), run: nat, report }, {
  noNullPrototype: true,
});

Deno.test("decodeOrder() and decodeAnswer() give back what encodeMessage() was given, on one line", () => {
  fc.assert(fc.property(fc.oneof(start, line, stop), (order) => {
    const encoded = encodeMessage(order);
    assert.ok(!encoded.includes("\n"));
    assert.deepEqual(decodeOrder(encoded), order);
  }));
  fc.assert(fc.property(fc.oneof(line, done), (answer) => {
    assert.deepEqual(decodeAnswer(encodeMessage(answer)), answer);
  }));
});

Deno.test("the decoders throw nothing but ProtocolError, whatever the line", () => {
  const nearly = fc.oneof(start, line, stop, done).chain((message) =>
    fc.tuple(fc.constantFrom(...Object.keys(message)), fc.jsonValue()).map(([key, value]) =>
      JSON.stringify({ ...message, [key]: value })
    )
  );
  const any = fc.oneof(fc.string(), fc.json(), nearly, fc.json().map((json) => `${HELLO} ${json}`));
  fc.assert(
    fc.property(any, (line) => {
      for (const decode of [decodeOrder, decodeAnswer, decodeHello]) {
        try {
          decode(line);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, `${decode.name}(${line}): ${error}`);
          assert.ok(error.message.length < 400, "the message stays short");
        }
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("decodeHello() refuses an end that says nonsense of how it looks for leaks", () => {
  const facts = { name: "host", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
  const bad = [
    null,
    7,
    { watched: "sockets", milliseconds: 1 },
    { watched: [1], milliseconds: 1 },
    { watched: [], milliseconds: -1 },
    { watched: [], milliseconds: 1e9 },
  ];
  for (const leaks of bad) {
    const line = `${HELLO} ${JSON.stringify({ ...facts, leaks })}`;
    assert.throws(() => decodeHello(line), /does not say how it looks for leaks/);
  }
});

const GOOD_REPORT = { state: "fail", reasons: ["why"], step: "send", milliseconds: 1 };

Deno.test("decodeAnswer() refuses a report that contradicts itself or lacks something", () => {
  const bad: unknown[] = [
    { ...GOOD_REPORT, state: "pass" },
    { ...GOOD_REPORT, reasons: [] },
    { ...GOOD_REPORT, reasons: "why" },
    { ...GOOD_REPORT, state: "great" },
    { ...GOOD_REPORT, milliseconds: -1 },
    { ...GOOD_REPORT, milliseconds: 1.5 },
    { ...GOOD_REPORT, step: undefined },
    null,
    [],
  ];
  const encoded = (report: unknown) => JSON.stringify({ type: "done", run: 1, report });
  assert.equal(decodeAnswer(encoded(GOOD_REPORT)).type, "done");
  for (const report of bad) assert.throws(() => decodeAnswer(encoded(report)), ProtocolError);
});

Deno.test("decodeOrder() refuses what is no order", () => {
  const good = { type: "start", run: 1, id: "a", role: "client", port: 1, seed: 1, timeout: 1 };
  assert.equal(decodeOrder(JSON.stringify(good)).type, "start");
  const bad = [
    { ...good, role: "both" },
    { ...good, run: -1 },
    { ...good, port: "1" },
    { ...good, type: "explode" },
    { ...good, id: 7 },
  ];
  for (const order of bad) assert.throws(() => decodeOrder(JSON.stringify(order)), ProtocolError);
});

Deno.test("decodeHello() gives back the facts that encodeHello() was given", () => {
  const facts = { name: "guest", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
  assert.deepEqual(decodeHello(encodeHello(facts)), { facts });
  const more = { session: "a run", resumed: [3, 4] };
  const known = { ...facts, localCid: 3, leaks: { watched: ["sockets"], milliseconds: 12_000 } };
  assert.deepEqual(decodeHello(encodeHello(known, more)), { facts: known, ...more });
});

Deno.test("decodeHello() says who the peer is, where that is known", () => {
  const messages: readonly (readonly [string, RegExp])[] = [
    ["NEXT", /protocol of the kernel's vsock_test.*--mode/],
    ["SKIP", /protocol of the kernel's vsock_test/],
    ["REFUSED another controller is using this agent", /refused: another controller/],
    ["HTTP/1.1 400 Bad Request", /no vsock-conformance\/1: it wrote "HTTP\/1.1 400 Bad Request"/],
    ["HELLO vsock-conformance/2 {}", /no vsock-conformance\/1/],
  ];
  for (const [line, message] of messages) {
    const name = line.startsWith("REFUSED") ? "RefusedError" : "ProtocolError";
    assert.throws(() => decodeHello(line), { name, message });
  }
});

Deno.test("quote() shows text without control characters, and not much of it", () => {
  assert.equal(quote("a\u001b[31m\tb\u009b\u202e"), '"a\u241b[31m b\ufffd\ufffd"');
  assert.equal(quote("x".repeat(1000)), `"${"x".repeat(80)}..."`);
});
