import assert from "node:assert/strict";
import { SCHED_FIFO, SCHED_OTHER } from "./constants.ts";
import { call } from "./libc.ts";
import { Urgency } from "./scheduling.ts";

Deno.test("Urgency changes this thread's policy as far as it is allowed, and changes it back", () => {
  const policy = () => call("sched_getscheduler", 0) & 0xff;
  {
    using urgency = new Urgency();
    assert.equal(policy(), urgency.granted ? SCHED_FIFO : SCHED_OTHER);
  }
  assert.equal(policy(), SCHED_OTHER);
});
