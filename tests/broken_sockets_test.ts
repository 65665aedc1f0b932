import assert from "node:assert/strict";
import type { Role } from "../core/case.ts";
import { matches } from "../core/selector.ts";
import type { SideState } from "../core/outcome.ts";
import { CATALOGUE, findCase } from "../suites/catalogue.ts";
import { runBothSides } from "./support/both_sides.ts";
import { MUTATIONS } from "./support/mutations.ts";
import { VsockLike } from "./support/vsock_like.ts";

/** A deadline that only a case which hangs reaches. */
const PATIENT = 20_000;
/** The deadline of a case that is expected to hang. */
const SHORT = 1200;

/** Families whose cases are judged by more than sockets: tests beside them have what errs. */
const PROVEN_BESIDE = ["diag/**", "uring/**"];
const ON_SOCKETS = CATALOGUE.filter(({ id }) =>
  !PROVEN_BESIDE.some((family) => matches(family, id))
);

/** Cases of what AF_UNIX has not: only AF_VSOCK itself, in a VM, can pass them. */
const BEYOND_AF_UNIX: readonly string[] = [
  "stream/rcvlowat/poll-waits-for-all",
  "stream/linger/no-wait-for-unread",
  "stream/credit/bound-by-own-buffer",
  "transport/change/release-of-unbound-socket",
  "transport/change/after-interrupted-connect",
  "sockopt/zerocopy/on-accepted-socket",
  "zerocopy/send/stream-completes",
  "zerocopy/send/seqpacket-completes",
  "zerocopy/send/without-memory-is-enomem",
  "zerocopy/error-queue/empty-is-eagain",
  "zerocopy/error-queue/closed-unread",
  "zerocopy/coalescence/keeps-data",
];

/** Cases that AF_UNIX can pass, but of which no mutation shows yet that they can fail. */
const UNPROVEN: readonly string[] = [
  "stream/receive-buffer/null-keeps-data",
  "stream/packets/joined-after-partial-read",
  "stream/packets/small-ones-keep-connection",
  "stream/shutdown/own-write-is-epipe",
  "stream/shutdown/peers-read-is-epipe",
  "stream/connect/same-port-again",
  "stream/connect/retry-after-failure",
  "stream/credit/update-on-rcvlowat",
  "stream/credit/update-below-rcvlowat",
  "stream/accept-queue/closed-while-connecting",
  "stream/linger/close-after-nothing-sent",
  "stream/msg-peek/after-partial-recv",
  "seqpacket/receive-buffer/null-costs-one-message",
  "ioctl/siocoutq/stream-zero-after-receipt",
  "ioctl/siocoutq/seqpacket-zero-after-receipt",
  "ioctl/siocinq/stream-counts-unread",
  "ioctl/siocinq/seqpacket-counts-unread",
];

for (const definition of ON_SOCKETS.filter(({ id }) => !BEYOND_AF_UNIX.includes(id))) {
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

Deno.test("every case has a mutation that it notices, or is known to have none", () => {
  const noticed = new Set(MUTATIONS.map(({ id }) => id));
  const without = ON_SOCKETS.map(({ id }) => id).filter((id) => !noticed.has(id));
  assert.deepEqual(without.sort(), [...BEYOND_AF_UNIX, ...UNPROVEN].sort());
});

Deno.test("every mutation is of one side of one case", () => {
  const roles: readonly Role[] = ["client", "server"];
  assert.ok(MUTATIONS.every(({ on }) => roles.includes(on)));
  const names = MUTATIONS.map(({ id, what, on }) => `${id} ${on} ${what}`);
  assert.equal(new Set(names).size, names.length);
});
