import assert from "node:assert/strict";
import { MSG_NOSIGNAL, SIGPIPE } from "./constants.ts";
import { call, callBlocking } from "./libc.ts";
import { Alarm, SignalCounter } from "./signals.ts";

Deno.test("SignalCounter counts a signal to any thread, and no longer than it is held", async () => {
  const pair = new Int32Array(2);
  assert.equal(call("socketpair", 1, 1, 0, pair), 0);
  const [ours = -1, theirs = -1] = pair;
  call("close", theirs);
  const data = new Uint8Array(1);
  const send = (flags: number) => callBlocking("send", [ours, data, 1, flags]);
  {
    using counter = new SignalCounter(SIGPIPE);
    assert.equal(counter.count, 0);
    assert.equal((await send(0)).result, -32);
    assert.equal(counter.count, 1);
    assert.equal((await send(MSG_NOSIGNAL)).result, -32);
    assert.equal(counter.count, 1);
    assert.equal(call("send", ours, data, 1, 0), -32);
    assert.equal(counter.count, 2);
  }
  using later = new SignalCounter(SIGPIPE);
  later[Symbol.dispose]();
  assert.equal((await send(0)).result, -32, "SIGPIPE is ignored again");
  assert.equal(later.count, 0);
  call("close", ours);
});

Deno.test("Alarm interrupts a call of its thread once, when it is set", () => {
  using alarm = new Alarm();
  assert.equal(call("poll", null, 0, 5), 0, "it does nothing before it is set");
  for (let i = 1; i <= 3; i++) {
    alarm.set(2000);
    assert.equal(call("poll", null, 0, 5000), -4, "EINTR");
    assert.equal(alarm.count, i);
    assert.equal(call("poll", null, 0, 5), 0, "it goes off once");
  }
});

Deno.test("Alarm refuses a time that struct timespec does not hold", () => {
  using alarm = new Alarm();
  assert.throws(() => alarm.set(1_000_000), { name: "SysError", code: "EINVAL" });
});
