import assert from "node:assert/strict";
import { CounterDecoder, COUNTERS } from "../control/counters_wire.ts";
import { LineQueue } from "../control/lines.ts";
import { withCounters } from "./counters_side.ts";
import type { SideOrder } from "./session.ts";

function order(id: string) {
  const written: string[] = [];
  const inbox = new LineQueue();
  const side: SideOrder = {
    ...{ run: 1, id, role: "server", port: 0, seed: 0, timeout: 60_000 },
    lines: {
      write: (line) => Promise.resolve(void written.push(line)),
      read: (signal) => inbox.read(signal),
    },
    stop: new AbortController().signal,
    onStep: () => {},
  };
  return { side, written };
}

Deno.test("an agent sends the counters of AF_VSOCK, and no others", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const tree = `${folder}/home/me/linux`;
    for (const below of ["net/vmw_vsock", "net/core", "drivers/vhost"]) {
      await Deno.mkdir(`${tree}/${below}`, { recursive: true });
    }
    for (const name of ["net/vmw_vsock/diag", "net/core/sock", "drivers/vhost/vsock"]) {
      await Deno.writeTextFile(`${tree}/${name}.gcda`, name);
      await Deno.writeTextFile(`${tree}/${name}.gcno`, "notes");
    }
    await Deno.writeTextFile(`${tree}/drivers/vhost/net.gcda`, "another device");
    const { side, written } = order(COUNTERS);
    const report = await withCounters(() => assert.fail(), folder)(side);
    assert.equal(report.state, "pass", report.reasons.join());
    const decoder = new CounterDecoder();
    for (const line of written) decoder.push(line);
    const bytes = (text: string) => new TextEncoder().encode(text);
    const names = ["drivers/vhost/vsock", "net/vmw_vsock/diag"];
    assert.deepEqual([...decoder.files.keys()].sort(), names);
    for (const name of names) assert.deepEqual(decoder.files.get(name), bytes(name));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a kernel that counts nothing is said so, and cases run as ever", async () => {
  const done = { state: "pass" as const, reasons: [], step: "", milliseconds: 0 };
  const runner = withCounters(() => Promise.resolve(done), "/nonexistent");
  const { state, reasons } = await runner(order(COUNTERS).side);
  assert.equal(state, "skip");
  assert.match(reasons.join(), /counts nothing/);
  assert.equal(await runner(order("stream/close/x").side), done);
});
