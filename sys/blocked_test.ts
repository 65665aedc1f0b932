import assert from "node:assert/strict";
import { connectedPair } from "../tests/support/unix_pair.ts";
import { Blocked, INTERRUPT_SIGNAL } from "./blocked.ts";
import { SA_RESTART } from "./constants.ts";
import { SignalCounter } from "./signals.ts";
import { bytes } from "./structs.ts";

Deno.test("a call that sleeps is interrupted, unless its signal has it go on", async () => {
  using pair = await connectedPair("stream");
  {
    using signals = new SignalCounter(INTERRUPT_SIGNAL, 0);
    const blocked = new Blocked(() => pair.server.recv(bytes(1)));
    assert.equal(await blocked.sleeps(), true);
    blocked.interrupt();
    await assert.rejects(blocked.result, /EINTR/);
    assert.equal(signals.count, 1);
  }
  using signals = new SignalCounter(INTERRUPT_SIGNAL, SA_RESTART);
  const blocked = new Blocked(() => pair.server.recv(bytes(1)));
  assert.equal(await blocked.sleeps(), true);
  blocked.interrupt();
  await pair.client.send(bytes(1));
  assert.equal(await blocked.result, 1);
  assert.equal(signals.count, 1);
});

Deno.test("a call that ends does not sleep", async () => {
  using pair = await connectedPair("stream");
  const blocked = new Blocked(() => pair.client.send(bytes(1)));
  assert.equal(await blocked.sleeps(), false);
  assert.equal(blocked.ended, true);
  assert.throws(() => new Blocked(() => Promise.resolve(0)), /does not begin at once/);
});
