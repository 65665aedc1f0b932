import assert from "node:assert/strict";
import type { Direction } from "../core/plan.ts";
import { verdicts } from "./session.ts";
import type { Cell, ProgramRun } from "./output.ts";
import { interopTable } from "./table.ts";
import { type InteropCase, type InteropCell, PAIRINGS } from "./cell.ts";

const OK: Cell = { outcome: "ok", reasons: [] };
const CONNECT = ["C client: expected 1 sockets, found 2", "C client: ended with 1"];

function info(position: number, name: string, program = "vsock_test", listLength = 4): InteropCase {
  return { program, listLength, position, name, id: `a/b/${name.toLowerCase()}` };
}

/** The cells of a case, in the order of the pairings. */
function cells(of: InteropCase, direction: Direction, ...four: Cell[]): InteropCell[] {
  return PAIRINGS.map((pairing, i) => ({ ...four[i] ?? OK, case: of, pairing, direction }));
}

Deno.test("interopTable() shows a row for each case, and agrees where all is ok or skipped", () => {
  const skip: Cell = { outcome: "skip", reasons: ["C client: skipped"] };
  const cases = [info(0, "One"), info(1, "Two")];
  const { text, agrees } = interopTable(cases, [
    ...cells(cases[0] ?? info(0, ""), "loopback"),
    ...cells(cases[1] ?? info(1, ""), "loopback", skip, skip, skip, skip),
  ]);
  assert.ok(agrees);
  assert.deepEqual(text.split("\n"), [
    "                          loopback",
    "case     upstream's name  ours/ours  ours/C  C/ours  C/C",
    "a/b/one  One              ok         ok      ok      ok",
    "a/b/two  Two              skip       skip    skip    skip",
    "",
    "server/client: 2 cases, 8 cells: 4 ok, 0 FAIL, 4 skip; all agree",
    '"ours" is vsock-conformance, "C" the kernel\'s C program',
    "",
  ]);
});

Deno.test("interopTable() says who disagrees, in which direction, and why", () => {
  const one = info(0, "One");
  const fail: Cell = { outcome: "FAIL", reasons: ["C client: no"] };
  const { text, agrees } = interopTable([one], [
    ...cells(one, "host-server"),
    ...cells(one, "guest-server", OK, fail),
  ]);
  assert.equal(agrees, false);
  assert.match(text, /^ +host-server +guest-server\n/);
  assert.match(text, /\na\/b\/one \(guest-server\): the pairings disagree\n {2}ours\/ours: ok\n/);
  assert.match(text, /\n {2}ours\/C: FAIL\n {4}C client: no\n/);
  assert.match(text, /; not all agree\n/);
});

Deno.test("interopTable() is not content with a case that fails everywhere", () => {
  const one = info(0, "One");
  const fail: Cell = { outcome: "FAIL", reasons: ["no"] };
  const { text, agrees } = interopTable([one], cells(one, "loopback", fail, fail, fail, fail));
  assert.equal(agrees, false);
  assert.match(text, /a\/b\/one \(loopback\): all fail\n/);
});

Deno.test("interopTable() does not agree where cells are missing", () => {
  const one = info(0, "One");
  const some = interopTable([one], cells(one, "loopback").slice(1));
  assert.equal(some.agrees, false);
  assert.match(some.text, /; 1 cells were not run\n/);
  assert.equal(interopTable([], []).agrees, false);
});

Deno.test("interopTable() notes the failure that C has by itself, but no other of that case", () => {
  const connect = info(2, "Connect", "vsock_diag_test", 3);
  const known: Cell = { outcome: "FAIL", reasons: CONNECT };
  const noted = interopTable([connect], cells(connect, "loopback", OK, known, known, known));
  assert.ok(noted.agrees);
  assert.match(
    noted.text,
    /Connect +ok +FAIL\* +FAIL\* +FAIL\*\n\n\* The C program counts all sockets/,
  );
  const other: Cell = { outcome: "FAIL", reasons: ["C client: bind: Address already in use"] };
  assert.ok(!interopTable([connect], cells(connect, "loopback", OK, other, known, known)).agrees);
  assert.ok(!interopTable([connect], cells(connect, "host-server", OK, known)).agrees);
});

Deno.test("verdicts() runs what is behind a failure again, and gives every case a verdict", async () => {
  const list = [info(0, "One"), info(2, "Two"), info(3, "Three")];
  const skips: (readonly number[])[] = [];
  const found = await verdicts(list, (skipped) => {
    skips.push(skipped);
    const lines = list.filter(({ position }) => !skipped.includes(position))
      .map(({ position, name }) => `${position} - ${name}...${position === 2 ? "no" : "ok"}\n`);
    const end = lines.findIndex((line) => line.endsWith("no\n"));
    const output = lines.slice(0, end < 0 ? undefined : end + 1).join("");
    const run: ProgramRun = { name: "C server", output, status: end < 0 ? 0 : 1 };
    return Promise.resolve([run, run]);
  });
  assert.deepEqual(skips, [[1], [0, 1, 2]]);
  assert.deepEqual(found.map(({ outcome }) => outcome), ["ok", "FAIL", "ok"]);
  assert.deepEqual(found.map((cell) => cell.case), list);
});
