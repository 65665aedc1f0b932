import assert from "node:assert/strict";
import { judgeSession, type ProgramRun, type SessionVerdicts } from "./output.ts";

const START = "Control socket listening on 0.0.0.0:7000\nControl socket connection accepted...\n";
const END = "All tests have been executed. Waiting other peer...ok\n";

function run(name: string, output: string, status = 0): ProgramRun {
  return { name, output: START + output, status };
}

const outcomes = ({ cells }: SessionVerdicts) =>
  [...cells].map(([position, { outcome }]) => `${position} ${outcome}`);

Deno.test("judgeSession() says ok where both programs do, and leaves nothing", () => {
  const output = `0 - a...ok\n1 - b...skipped\n2 - c...ok\n${END}`;
  const verdicts = judgeSession([0, 2], run("C server", output), run("ours client", output));
  assert.deepEqual(outcomes(verdicts), ["0 ok", "2 ok"]);
  assert.deepEqual(verdicts.left, []);
});

Deno.test("judgeSession() takes what ours says behind all cases for no part of the last", () => {
  const output = "0 - a...skipped\n1 - b...ok\n";
  for (const end of ["1 test has", "7 tests have", "All tests have"]) {
    const ours = run("ours server", `${output}${end} been executed, by both sides\n`);
    const verdicts = judgeSession([1], ours, run("C client", output + END));
    assert.deepEqual(outcomes(verdicts), ["1 ok"], end);
  }
});

Deno.test("judgeSession() fails the case in which one program fails, and leaves those behind it", () => {
  const server = run("C server", "0 - a...ok\n1 - b...connect: Connection reset by peer\n", 1);
  const client = run("ours client", "0 - a...ok\n1 - b...ok\n2 - c...error: it left\n", 2);
  const verdicts = judgeSession([0, 1, 2, 3], server, client);
  assert.deepEqual(outcomes(verdicts), ["0 ok", "1 FAIL"]);
  assert.deepEqual(verdicts.left, [2, 3]);
  assert.deepEqual(verdicts.cells.get(1)?.reasons, [
    "C server: connect: Connection reset by peer",
    "C server: ended with 1",
    "ours client: ok",
  ]);
});

Deno.test("judgeSession() fails a case in which a program is killed without a word", () => {
  const server = run("C server", "0 - a...", 137);
  const verdicts = judgeSession([0, 1], server, run("C client", "0 - a...", 137));
  assert.deepEqual(outcomes(verdicts), ["0 FAIL"]);
  assert.deepEqual(verdicts.cells.get(0)?.reasons, [
    "C server: ended with 137",
    "C client: ended with 137",
  ]);
});

Deno.test("judgeSession() skips what either program skips, and says why", () => {
  const ours = run("ours server", `0 - a...skipped\n  lacks b: c\n1 - d...ok\n${END}`);
  const client = run("C client", `0 - a...skipped\n1 - d...Test skipped, x.\nok\n${END}`);
  const verdicts = judgeSession([0, 1], ours, client);
  assert.deepEqual(outcomes(verdicts), ["0 skip", "1 skip"]);
  assert.deepEqual(verdicts.cells.get(0)?.reasons, [
    "ours server: skipped lacks b: c",
    "C client: skipped",
  ]);
  assert.deepEqual(verdicts.cells.get(1)?.reasons, ["C client: Test skipped, x. ok"]);
});

Deno.test("judgeSession() fails all cases where a program never began, and leaves none", () => {
  const server = run("C server", "", 1);
  const client = { name: "ours client", output: "error: Cannot reach the peer\n", status: 2 };
  const verdicts = judgeSession([0, 1], server, client);
  assert.deepEqual(outcomes(verdicts), ["0 FAIL", "1 FAIL"]);
  assert.deepEqual(verdicts.left, []);
  assert.match(`${verdicts.cells.get(1)?.reasons}`, /ours client: error: Cannot reach the peer/);
});

Deno.test("judgeSession() fails the last case where a program ends badly after all of them", () => {
  const output = "0 - a...ok\n1 - b...ok\n";
  const client = run("C client", `${output}All tests have been executed. Waiting...`, 1);
  const verdicts = judgeSession([0, 1], run("C server", output + END), client);
  assert.deepEqual(outcomes(verdicts), ["0 ok", "1 FAIL"]);
  assert.match(`${verdicts.cells.get(1)?.reasons}`, /C client: ended with 1 after all cases/);
});

Deno.test("judgeSession() takes an ok within a failure's words for no end", () => {
  const server = run("C server", "0 - a...ok to begin\nbut then: no\n", 1);
  const verdicts = judgeSession([0], server, run("C client", "0 - a...ok\n", 1));
  assert.deepEqual(outcomes(verdicts), ["0 FAIL"]);
});
