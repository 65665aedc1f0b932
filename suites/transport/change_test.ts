import { knownCase } from "../../tests/support/known_case.ts";
import assert from "node:assert/strict";
import { Socket } from "../../sys/socket.ts";
import type { Address } from "../../sys/structs.ts";
import { failure } from "../../tests/mutations/mutation.ts";
import { runBothSides } from "../../tests/support/both_sides.ts";
import { VsockLike } from "../../tests/support/vsock_like.ts";
import type { ConformanceCase, Machine } from "../../kit/mod.ts";

const interruptedConnect = knownCase("transport/change/after-interrupted-connect");
const refusedAfterInterruptedConnect = knownCase(
  "transport/change/refused-after-interrupted-connect",
);
const releaseOfUnboundSocket = knownCase("transport/change/release-of-unbound-socket");

/** A machine with the transport of loopback, and a host's or not. */
function machineWith(host: boolean): Machine {
  return {
    place: () => ({
      loopback: true,
      host,
      guest: false,
      guestCid: undefined,
      fallback: undefined,
    }),
    withFallback: () => assert.fail("no case of these sets it"),
  };
}

/** A host on which no port is free: what is connected fails, and goes on where it is moved to. */
class WithoutPort extends Socket {
  /** The CIDs that each socket was to be connected to. */
  static attempts: number[][] = [];
  readonly #cids: number[] = [];

  override setTimeval(): void {}
  override bind({ cid }: Address): void {
    if (cid !== 1 && cid !== 2) throw failure("bind(3)", "EADDRNOTAVAIL");
  }
  override getsockname(): Address {
    return { cid: 1, port: 1000 };
  }
  override connectHere({ cid }: Address): void {
    if (this.#cids.length === 0) WithoutPort.attempts.push(this.#cids);
    this.#cids.push(cid);
    if (cid === 0) throw failure("connect(3)", "ENODEV");
    const what = ["EADDRNOTAVAIL", "EINPROGRESS"] as const;
    throw failure("connect(3)", what[this.#cids.length - 1] ?? "EALREADY");
  }
}

Deno.test("transport/change/release-of-unbound-socket moves each socket once, everywhere", async () => {
  WithoutPort.attempts = [];
  const client = { machine: machineWith(true), socketClass: WithoutPort, peerCid: 3 };
  const { outcome, reasons } = await runBothSides(releaseOfUnboundSocket, { client });
  assert.equal(outcome, "pass", reasons.join("\n"));
  assert.ok(WithoutPort.attempts.every(({ length }) => length <= 2));
  const moves = WithoutPort.attempts.filter(({ length }) => length === 2);
  assert.deepEqual(moves, [[1, 0], [1, 2], [1, 3], [1, 57005], [2, 0], [2, 1], [2, 3], [2, 57005]]);
});

Deno.test("transport/change is skipped where there is nothing to be moved to", async () => {
  const client = { machine: machineWith(false), socketClass: WithoutPort };
  for (const definition of [releaseOfUnboundSocket, interruptedConnect]) {
    const { outcome, reasons } = await runBothSides(definition, { client });
    assert.equal(outcome, "skip");
    assert.match(reasons.join("\n"), /lacks a second transport, .*none leads elsewhere/);
  }
});

/** A host whose connect() is interrupted by every signal, and then ends so for another CID. */
function interrupted(then: "ENODEV" | "EINPROGRESS"): typeof Socket {
  return class extends VsockLike {
    override setTimeval(): void {}
    override connectHere({ cid }: Address): void {
      throw failure("connect(3)", cid === 1 ? "EINTR" : then);
    }
  };
}

/** Plays a case whose client has such sockets. */
async function play(definition: ConformanceCase, socketClass: typeof Socket) {
  const client = { machine: machineWith(true), socketClass };
  const { outcome, reasons } = await runBothSides(definition, {
    client,
    server: { socketClass: VsockLike },
  });
  return { outcome, text: reasons.join("\n") };
}

Deno.test("transport/change/refused-after-interrupted-connect passes where it is refused", async () => {
  const { outcome, text } = await play(refusedAfterInterruptedConnect, interrupted("ENODEV"));
  assert.equal(outcome, "pass", text);
});

Deno.test("transport/change/refused-after-interrupted-connect fails where it goes on", async () => {
  const { outcome, text } = await play(refusedAfterInterruptedConnect, interrupted("EINPROGRESS"));
  assert.equal(outcome, "fail");
  assert.match(text, /connect\(\) to CID 0 after EINTR: expected "ENODEV", got "EINPROGRESS"/);
});
