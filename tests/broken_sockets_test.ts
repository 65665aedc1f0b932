import assert from "node:assert/strict";
import type { Role } from "../core/case.ts";
import type { SideState } from "../core/outcome.ts";
import { CATALOGUE, findCase } from "../suites/catalogue.ts";
import { runBothSides } from "./support/both_sides.ts";
import { MUTATIONS } from "./support/mutations.ts";
import { VsockLike } from "./support/vsock_like.ts";

/** A deadline that only a case which hangs reaches. */
const PATIENT = 20_000;
/** The deadline of a case that is expected to hang. */
const SHORT = 1200;

/** Families whose cases are judged by more than sockets: their own tests have what errs. */
const OTHERS = /^(diag|uring)\//;
const ON_SOCKETS = CATALOGUE.filter(({ id }) => !OTHERS.test(id));

for (const definition of ON_SOCKETS) {
  Deno.test(`${definition.id} passes over sockets that behave as they must`, async () => {
    const whole = { socketClass: VsockLike, timeout: PATIENT };
    const { outcome, reasons } = await runBothSides(definition, { client: whole, server: whole });
    assert.deepEqual([outcome, reasons], ["pass", []]);
  });
}

for (const { id, what, on, socketClass, noticed, state, reason } of MUTATIONS) {
  Deno.test(`${id} notices a ${on} whose ${what}`, async () => {
    const definition = findCase(id) ?? assert.fail(`no case ${id}`);
    const timeout = state === "timeout" ? SHORT : PATIENT;
    const whole = { socketClass: VsockLike, timeout };
    const options = { client: whole, server: whole, [on]: { socketClass, timeout } };
    const { outcome, sides } = await runBothSides(definition, options);
    const expected: SideState = state ?? "fail";
    assert.equal(outcome, expected);
    const report = sides?.[noticed ?? on];
    assert.equal(report?.state, expected, JSON.stringify(sides));
    assert.match(report.reasons.join("\n"), reason);
  });
}

Deno.test("every case has a mutation that it notices", () => {
  const noticed = new Set(MUTATIONS.map(({ id }) => id));
  assert.deepEqual(ON_SOCKETS.map(({ id }) => id).filter((id) => !noticed.has(id)), []);
});

Deno.test("every mutation is of one side of one case", () => {
  const roles: readonly Role[] = ["client", "server"];
  assert.ok(MUTATIONS.every(({ on }) => roles.includes(on)));
  const names = MUTATIONS.map(({ id, what, on }) => `${id} ${on} ${what}`);
  assert.equal(new Set(names).size, names.length);
});
