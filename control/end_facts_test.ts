import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeMachine } from "./end_facts.ts";
import { decodeHello, encodeHello } from "./greeting.ts";

const FACTS = {
  uname: "Linux 6.12.1 #1 SMP x86_64",
  commandLine: "console=ttyS0 quiet",
  config: { path: "/proc/config.gz", sha256: "0".repeat(64) },
  taint: 512,
  faultsBefore: [["WARNING: something", "Call Trace:"]],
};

Deno.test("a greeting carries what its machine is", () => {
  const end = { name: "agent", kernel: "6.12.1", machine: "x86_64", version: "0", ...FACTS };
  assert.deepEqual(decodeHello(encodeHello(end)).facts, end);
});

Deno.test("decodeMachine() leaves out what is of another form", () => {
  assert.deepEqual(decodeMachine({}), {});
  const wrong = {
    uname: 7,
    commandLine: "x".repeat(10_000),
    config: { path: "/x", sha256: "../../etc" },
    taint: -1,
    faultsBefore: [[], "x", [1]],
  };
  assert.deepEqual(decodeMachine(wrong), {});
  const many = { faultsBefore: Array(100).fill(["x"]) };
  assert.equal(decodeMachine(many).faultsBefore?.length, 16);
});

Deno.test("decodeMachine() takes anything", () => {
  const any = fc.record({
    uname: fc.anything(),
    commandLine: fc.anything(),
    config: fc.oneof(fc.anything(), fc.record({ path: fc.anything(), sha256: fc.anything() })),
    taint: fc.oneof(fc.anything(), fc.double()),
    faultsBefore: fc.oneof(fc.anything(), fc.array(fc.anything())),
  }, { requiredKeys: [] });
  fc.assert(fc.property(any, (said) => {
    const { taint = 0 } = decodeMachine(said);
    assert.ok(Number.isSafeInteger(taint) && taint >= 0);
  }));
});
