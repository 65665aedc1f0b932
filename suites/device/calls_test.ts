import assert from "node:assert/strict";
import { VsockDevice } from "../../sys/dev_vsock.ts";
import { failure } from "../../tests/mutations/mutation.ts";
import { runBothSides } from "../../tests/support/both_sides.ts";
import { knownCase } from "../../tests/support/known_case.ts";
import type { ConformanceCase } from "../../kit/mod.ts";

const carriesNothing = knownCase("device/calls/carries-nothing");
const requestsAreExact = knownCase("device/calls/requests-are-exact");

/** A /dev/vsock that is none. */
class FakeDevice extends VsockDevice {
  static override open(): VsockDevice {
    return new this(-1, {});
  }

  override localCid(): number {
    return 2;
  }

  override read(): number {
    throw failure("read(3)", "EINVAL");
  }

  override seek(): number {
    throw failure("lseek(3)", "ESPIPE");
  }

  override ioctlInt(): number {
    throw failure("ioctl(3)", "ENOTTY");
  }
}

/** Plays a case with such a device. */
async function play(definition: ConformanceCase, deviceClass: typeof VsockDevice) {
  const verdict = await runBothSides(definition, { client: { deviceClass } });
  return { ...verdict, text: verdict.reasons.join("\n") };
}

Deno.test("the cases of /dev/vsock as a file pass where it does as it must", async () => {
  for (const definition of [carriesNothing, requestsAreExact]) {
    const { outcome, text } = await play(definition, FakeDevice);
    assert.equal(outcome, "pass", text);
  }
});

Deno.test("device/calls/carries-nothing fails where /dev/vsock can be read", async () => {
  class Readable extends FakeDevice {
    override read(): number {
      return 0;
    }
  }
  const { outcome, text } = await play(carriesNothing, Readable);
  assert.equal(outcome, "fail");
  assert.match(text, /read\(\) of \/dev\/vsock: expected EINVAL, but it returned 0/);
});

Deno.test("device/calls/requests-are-exact fails where /dev/vsock ignores a request's type", async () => {
  class Loose extends FakeDevice {
    override ioctlInt(request?: number): number {
      return ((request ?? 0) & 0xff) === 0xb9 ? 2 : super.ioctlInt();
    }
  }
  const { outcome, text } = await play(requestsAreExact, Loose);
  assert.equal(outcome, "fail");
  assert.match(text, /ioctl\(0x6b9\), not 0x7b9: expected ENOTTY/);
});
