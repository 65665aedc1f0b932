import { knownCase } from "../../tests/support/known_case.ts";
import assert from "node:assert/strict";
import { IOCTL_VM_SOCKETS_GET_LOCAL_CID } from "../../sys/constants.ts";
import { VsockDevice } from "../../sys/dev_vsock.ts";
import { failure } from "../../tests/mutations/mutation.ts";
import { runBothSides } from "../../tests/support/both_sides.ts";
import type { ConformanceCase, Machine } from "../../kit/mod.ts";

const namesOwnCid = knownCase("addressing/device/names-own-cid");
const refusesWrongRequests = knownCase("addressing/device/refuses-wrong-requests");

/** The CID by which the other side knows this machine. */
const KNOWN = 3;

const GUEST: Machine = {
  place: () => ({ loopback: true, host: false, guest: true, guestCid: KNOWN, fallback: undefined }),
  withFallback: () => assert.fail("no case of these sets it"),
};

/** A /dev/vsock that is none. */
class FakeDevice extends VsockDevice {
  /** What it names. */
  static cid = KNOWN;

  static override open(): VsockDevice {
    return new this(-1, {});
  }

  override localCid(): number {
    return FakeDevice.cid;
  }

  override ioctlInt(request: number): number {
    if (request === IOCTL_VM_SOCKETS_GET_LOCAL_CID) return FakeDevice.cid;
    throw failure("ioctl(3)", "ENOTTY");
  }

  override ioctlNowhere(): void {
    throw failure("ioctl(3)", "EFAULT");
  }
}

/** Plays a case with such a device. */
async function play(definition: ConformanceCase, deviceClass: typeof VsockDevice) {
  const client = { machine: GUEST, deviceClass };
  const verdict = await runBothSides(definition, { client, server: { peerCid: KNOWN } });
  return { ...verdict, text: verdict.reasons.join("\n") };
}

Deno.test("the cases of /dev/vsock pass where it does as it must", async () => {
  assert.equal((await play(namesOwnCid, FakeDevice)).outcome, "pass");
  assert.equal((await play(refusesWrongRequests, FakeDevice)).outcome, "pass");
});

Deno.test("addressing/device/names-own-cid fails where /dev/vsock names another CID", async () => {
  class WrongDevice extends FakeDevice {
    override localCid(): number {
      return 2;
    }
  }
  const { outcome, text } = await play(namesOwnCid, WrongDevice);
  assert.equal(outcome, "fail");
  assert.match(text, /the CID that \/dev\/vsock names: expected 3, got 2/);
});

Deno.test("addressing/device/refuses-wrong-requests fails where /dev/vsock takes every request", async () => {
  class WrongDevice extends FakeDevice {
    override ioctlInt(): number {
      return 0;
    }
    override ioctlNowhere(): void {}
  }
  const { outcome, text } = await play(refusesWrongRequests, WrongDevice);
  assert.equal(outcome, "fail");
  assert.match(text, /at address 0: expected EFAULT/);
  assert.match(text, /an unknown request: expected ENOTTY/);
});
