import assert from "node:assert/strict";
import { VhostVsock } from "../../sys/dev_vhost_vsock.ts";
import { failure } from "../../tests/mutations/mutation.ts";
import { runBothSides } from "../../tests/support/both_sides.ts";
import { knownCase } from "../../tests/support/known_case.ts";

const guestCid = knownCase("device/vhost/guest-cid");

/** What a kernel gets wrong about CIDs. */
interface Wrong {
  readonly takesReserved?: boolean;
  readonly sharesCids?: boolean;
  readonly keepsCids?: boolean;
}

/** Plays the case with devices of a kernel that there is none of. */
async function play({ takesReserved, sharesCids, keepsCids }: Wrong = {}) {
  const owners = new Map<number, VhostVsock>();
  class FakeVhost extends VhostVsock {
    static override open(): VhostVsock {
      return new this(-1, {});
    }
    override setGuestCid(cid: number): void {
      const isReserved = cid <= 2 || cid >= 0xffffffff;
      if (isReserved && !takesReserved) throw failure("ioctl(3)", "EINVAL");
      if (isReserved) return;
      const isTaken = (owners.get(cid) ?? this) !== this;
      if (isTaken && !sharesCids) throw failure("ioctl(3)", "EADDRINUSE");
      this.#giveUp();
      owners.set(cid, this);
    }
    override [Symbol.dispose](): void {
      this.#giveUp();
    }
    #giveUp(): void {
      if (keepsCids) return;
      for (const [cid, owner] of owners) if (owner === this) owners.delete(cid);
    }
  }
  const { outcome, reasons } = await runBothSides(guestCid, { client: { vhostClass: FakeVhost } });
  return { outcome, text: reasons.join("\n") };
}

Deno.test("device/vhost/guest-cid passes where nothing is wrong", async () => {
  const { outcome, text } = await play();
  assert.equal(outcome, "pass", text);
});

const WRONG: readonly (readonly [string, Wrong, RegExp])[] = [
  ["reserved CIDs are given", { takesReserved: true }, /the CID 0: expected EINVAL, but it/],
  ["two guests share a CID", { sharesCids: true }, /that is taken: expected EADDRINUSE, but it/],
  ["CIDs are kept", { keepsCids: true }, /a CID that was given up: ioctl\(3\): EADDRINUSE/],
];

for (const [name, wrong, says] of WRONG) {
  Deno.test(`device/vhost/guest-cid fails where ${name}`, async () => {
    const { outcome, text } = await play(wrong);
    assert.equal(outcome, "fail");
    assert.match(text, says);
  });
}
