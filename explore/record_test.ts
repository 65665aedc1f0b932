import assert from "node:assert/strict";
import type { CallAnswer, SocketCall } from "../core/socket_call.ts";
import { firstDifference, parseRecording, type Recording, recordingJson } from "./record.ts";

const CALLS: readonly SocketCall[] = [
  { call: "socket", socket: 0, type: "stream" },
  { call: "autobind", socket: 0 },
  { call: "getsockname", socket: 0 },
  { call: "listen", socket: 0, backlog: 0 },
];
const NAME: CallAnswer = { result: 0, cid: 1, port: 50_000 };
const ANSWERS: readonly CallAnswer[] = [{ result: 0 }, { result: 0 }, NAME, { result: 0 }];

function recording(kernel: string, ...programs: (readonly CallAnswer[])[]): Recording {
  const played = programs.map((answers, i) => ({ seed: i, calls: CALLS, played: { answers } }));
  return { kernel, topology: "loopback", port: 1234, programs: played };
}

Deno.test("a recording is read as it was written", () => {
  const made = recording("7.3.4", ANSWERS, ANSWERS);
  assert.deepEqual(parseRecording(recordingJson(made), "a.json"), made);
  for (const text of ["", "{}", '{"format":"vsock-conformance-calls/1","programs":[1]}']) {
    assert.throws(() => parseRecording(text, "a.json"), /^UsageError: a\.json is no file that/);
  }
});

Deno.test("two recordings differ at the first call that was answered otherwise", () => {
  const one = recording("7.3.4", ANSWERS, ANSWERS);
  assert.equal(firstDifference(one, one), undefined);
  // A port that the kernel chose is another every time.
  const chosen = ANSWERS.with(2, { ...NAME, port: 60_000 });
  assert.equal(firstDifference(one, recording("6.12", chosen)), undefined);
  const other = recording("6.12", chosen, ANSWERS.with(3, { result: -1, errno: "EINVAL" }));
  assert.equal(
    firstDifference(one, other),
    `program 2 (seed 1) differs at call 4:
  1. 0.socket(stream) = 0
  2. 0.autobind() = 0
  3. 0.getsockname() = 1:50000
  4. 0.listen(0)
     Linux 7.3.4, loopback: 0
     Linux 6.12, loopback: EINVAL
`,
  );
  const own = recording("6.12", ANSWERS.with(2, { ...NAME, port: 1236 }));
  assert.match(firstDifference(one, own) ?? "", /^program 1 \(seed 0\) differs at call 3:/);
});

Deno.test("programs that are others cannot be compared, which is said", () => {
  const one = recording("7.3.4", ANSWERS);
  const [first = assert.fail()] = one.programs;
  const other = { ...one, programs: [{ ...first, calls: CALLS.toReversed() }] };
  assert.match(firstDifference(one, other) ?? "", /^program 1 \(seed 0\) has other calls/);
});
