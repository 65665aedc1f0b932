import assert from "node:assert/strict";
import { CATALOGUE } from "../suites/catalogue.ts";
import { call } from "../sys/libc.ts";
import { lackingOnUnix } from "./mutations/table.ts";
import { runBothSides } from "./support/both_sides.ts";
import { VsockLike } from "./support/vsock_like.ts";

const CROWD = "stream/accept-queue/closed-all-the-time";
/** When a case is told to stop, in milliseconds after its beginning. */
const STOP = 150;
/** How much of its thread's time a case may take until it has stopped, in milliseconds. */
const MOST = 1000;
/** CLOCK_THREAD_CPUTIME_ID: time in which the machine stands still does not count. */
const THREAD_TIME = 3;

/** The time that this thread has run, in milliseconds. */
function threadTime(): number {
  const time = new BigInt64Array(2);
  assert.equal(call("clock_gettime", THREAD_TIME, time), 0);
  return Number(time[0]) * 1000 + Number(time[1]) / 1e6;
}

Deno.test("a case that is told to stop keeps its thread for no more than a moment", async () => {
  const slow: string[] = [];
  let stopped = 0;
  // Those that must be alone in their process are so in no test of this one.
  const cases = CATALOGUE.filter(({ id, alone }) =>
    // AF_UNIX cannot play a crowd of connections, but be what it calls without end.
    alone === undefined && (lackingOnUnix(id) === undefined || id === CROWD)
  );
  for (const definition of cases) {
    const stop = new AbortController();
    const side = { stop: stop.signal, socketClass: VsockLike };
    const before = threadTime();
    const timer = setTimeout(() => stop.abort(new Error("enough")), STOP);
    const { sides } = await runBothSides(definition, { client: side, server: side });
    clearTimeout(timer);
    const time = threadTime() - before;
    if (sides?.client.state === "stopped") stopped++;
    if (time > MOST) slow.push(`${definition.id}: ${Math.round(time)} ms`);
  }
  assert.deepEqual(slow, []);
  assert.ok(stopped > 0, "all had ended before they were told");
});
