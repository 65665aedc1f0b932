import assert from "node:assert/strict";
import {
  cidElsewhere,
  cidNowhere,
  errorsOfNobody,
  FOREIGN_CID,
  localCidsOf,
  type Place,
  routeTo,
} from "./machine.ts";

const LOOPBACK: Place = {
  loopback: true,
  host: false,
  guest: false,
  guestCid: undefined,
  fallback: undefined,
};
const HOST: Place = { ...LOOPBACK, host: true };
const GUEST: Place = { ...LOOPBACK, guest: true, guestCid: 3 };
const BOTH: Place = { ...HOST, ...GUEST, host: true };
const TO_HOST = { cid: 5, flags: 1 };

Deno.test("localCidsOf() has a CID for each transport", () => {
  assert.deepEqual([LOOPBACK, HOST, GUEST, BOTH].map(localCidsOf), [[1], [1, 2], [1, 3], [
    1,
    2,
    3,
  ]]);
});

Deno.test("routeTo() is what vsock_assign_transport() chooses", () => {
  const to = (cid: number) => [LOOPBACK, HOST, GUEST, BOTH].map((place) => routeTo(place, { cid }));
  assert.deepEqual(to(0), [undefined, undefined, "to-host", "to-host"]);
  assert.deepEqual(to(1), ["loopback", "loopback", "loopback", "loopback"]);
  assert.deepEqual(to(2), ["loopback", "loopback", "to-host", "to-host"]);
  assert.deepEqual(to(3), [undefined, "to-guest", "loopback", "loopback"]);
  assert.deepEqual(to(5), [undefined, "to-guest", "to-host", "to-guest"]);
  assert.equal(routeTo({ ...GUEST, fallback: false }, { cid: 5 }), undefined);
  assert.equal(routeTo({ ...BOTH, fallback: true }, { cid: 5 }), "to-host");
  assert.equal(routeTo(BOTH, TO_HOST), "to-host");
  assert.equal(routeTo(HOST, TO_HOST), undefined);
  assert.equal(routeTo({ ...LOOPBACK, loopback: false }, { cid: 1 }), undefined);
});

Deno.test("cidElsewhere() needs a second transport", () => {
  const elsewhere = (peerCid: number) =>
    [LOOPBACK, HOST, GUEST, BOTH].map((place) => cidElsewhere(place, peerCid));
  assert.deepEqual(elsewhere(1), [undefined, FOREIGN_CID, 0, 0]);
  assert.deepEqual(elsewhere(2), [undefined, FOREIGN_CID, 1, 1]);
  assert.deepEqual(elsewhere(4), [undefined, 1, 1, 0]);
  assert.equal(cidElsewhere({ ...GUEST, loopback: false }, 2), undefined);
  assert.equal(cidElsewhere({ ...HOST, loopback: false }, 4), undefined);
  assert.equal(cidElsewhere({ ...BOTH, loopback: false }, 4), 0);
  // Where a socket has no transport it cannot be moved from one.
  assert.equal(cidElsewhere({ ...GUEST, fallback: false }, 4), undefined);
});

Deno.test("cidNowhere() is where no transport leads", () => {
  assert.deepEqual([LOOPBACK, HOST, GUEST, BOTH].map(cidNowhere), [0, 0, undefined, undefined]);
  assert.equal(cidNowhere({ ...GUEST, fallback: false }), FOREIGN_CID);
  assert.equal(cidNowhere({ ...GUEST, loopback: false }), undefined);
});

Deno.test("errorsOfNobody() knows a driver without a device from a guest", () => {
  const at = { cid: 2, port: 1 };
  assert.deepEqual(errorsOfNobody(GUEST, "stream", at), ["ECONNRESET"]);
  const driver: Place = { ...GUEST, guestCid: undefined };
  assert.deepEqual(errorsOfNobody(driver, "stream", at), ["ENODEV"]);
  assert.deepEqual(errorsOfNobody(driver, "seqpacket", at), ["ESOCKTNOSUPPORT"]);
  assert.deepEqual(errorsOfNobody(HOST, "seqpacket", { cid: 5, port: 1 }), ["ESOCKTNOSUPPORT"]);
  assert.deepEqual(errorsOfNobody(LOOPBACK, "stream", at), ["ECONNRESET"]);
});
