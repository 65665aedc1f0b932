import { knownCase } from "../../tests/support/known_case.ts";
import assert from "node:assert/strict";
import { Socket } from "../../sys/socket.ts";
import { failure } from "../../tests/mutations/mutation.ts";
import { runBothSides } from "../../tests/support/both_sides.ts";
import type { Machine } from "../../kit/mod.ts";

const seqpacketFallback = knownCase("addressing/destination/seqpacket-fallback");
const streamFallback = knownCase("addressing/destination/stream-fallback");

/** A guest whose kernel knows g2h_fallback, and sockets of it. */
function fakeGuest(heeds: boolean) {
  let fallback = true;
  const machine: Machine = {
    place: () => ({ loopback: true, host: false, guest: true, guestCid: 3, fallback }),
    withFallback(on) {
      const before = fallback;
      fallback = on;
      return { [Symbol.dispose]: () => void (fallback = before) };
    },
  };
  const socketClass = class extends Socket {
    override setTimeval(): void {}
    override connect(): Promise<void> {
      throw failure("connect(3)", fallback || !heeds ? "ETIMEDOUT" : "ENODEV");
    }
  };
  return { machine, socketClass };
}

for (const definition of [streamFallback, seqpacketFallback]) {
  Deno.test(`${definition.id} passes where g2h_fallback decides`, async () => {
    const verdict = await runBothSides(definition, { client: fakeGuest(true) });
    assert.equal(verdict.outcome, "pass", verdict.reasons.join("\n"));
  });

  Deno.test(`${definition.id} fails where g2h_fallback changes nothing`, async () => {
    const verdict = await runBothSides(definition, { client: fakeGuest(false) });
    assert.equal(verdict.outcome, "fail");
    assert.match(verdict.reasons.join("\n"), /CID 57005: expected ENODEV, got .*ETIMEDOUT/);
  });
}
