import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeHello, HELLO } from "./greeting.ts";
import {
  type Answer,
  decodeAnswer,
  decodeOrder,
  encodeMessage,
  MAX_TIME,
  type Order,
  ProtocolError,
  quote,
} from "./wire.ts";

const nat = fc.nat(Number.MAX_SAFE_INTEGER);
/** A port or a seed. */
const word = fc.nat(0xffffffff);
/** A time that a timer can be set to, in milliseconds. */
const time = fc.nat(MAX_TIME);

const role = fc.constantFrom("client" as const, "server" as const);
const start = fc.record<Order & { type: "start" }>({
  type: fc.constant("start"),
  run: nat,
  id: fc.string({ maxLength: 200 }),
  role,
  port: word,
  seed: word,
  timeout: time,
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
  fc.record({ state, reasons, step: fc.string(), milliseconds: time }, { noNullPrototype: true });
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

const GOOD_REPORT = { state: "fail", reasons: ["why"], step: "send", milliseconds: 1 };

Deno.test("decodeAnswer() refuses a report that contradicts itself or lacks something", () => {
  const bad: unknown[] = [
    { ...GOOD_REPORT, state: "pass" },
    { ...GOOD_REPORT, reasons: [] },
    { ...GOOD_REPORT, reasons: "why" },
    { ...GOOD_REPORT, state: "great" },
    { ...GOOD_REPORT, milliseconds: -1 },
    { ...GOOD_REPORT, milliseconds: 1.5 },
    { ...GOOD_REPORT, milliseconds: 2 ** 53 - 1 },
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
    { ...good, id: "x".repeat(201) },
    { ...good, run: 2 ** 53 },
    { ...good, port: 2 ** 32 },
    { ...good, seed: 2 ** 32 },
    // Longer than a timer can be set to: it would fire at once.
    { ...good, timeout: 2 ** 31 },
    { ...good, timeout: 2 ** 53 - 1 },
  ];
  for (const order of bad) assert.throws(() => decodeOrder(JSON.stringify(order)), ProtocolError);
});

Deno.test("quote() shows text without control characters, and not much of it", () => {
  assert.equal(quote("a\u001b[31m\tb\u009b\u202e"), '"a\u241b[31m b\ufffd\ufffd"');
  assert.equal(quote("x".repeat(1000)), `"${"x".repeat(80)}..."`);
});
