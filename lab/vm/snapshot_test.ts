import assert from "node:assert/strict";
import { FakeMonitor } from "../../tests/support/monitor.ts";
import { inCache } from "../../tests/support/own_cache.ts";
import { lockFile } from "../host/cache.ts";
import { tryLock } from "../host/lock.ts";
import { Snapshot } from "./snapshot.ts";

/** What QEMU does with an address: a program of the shell's that takes or gives the state. */
function program(uri: string): string {
  return /^exec:(.*)$/s.exec(uri)?.[1] ?? assert.fail(`no program: ${uri}`);
}

/** A monitor of a VM whose state is `text`. */
function monitorOf(text: string): FakeMonitor {
  return new FakeMonitor(({ execute, arguments: { uri } = {} }) => {
    if (execute === "migrate") {
      const args = ["-c", `printf %s ${text} | ${program(String(uri))}`];
      const { success } = new Deno.Command("sh", { args }).outputSync();
      return [{ return: { status: success ? "completed" : "failed" } }];
    }
    return [{ return: execute === "query-migrate" ? { status: "completed" } : {} }];
  });
}

for (const name of ["cache", 'a, b\'s "$HOME" “Möhren”']) {
  Deno.test(`a snapshot is saved to and restored from a cache that is called ${name}`, async () => {
    await inCache(async (cache) => {
      const snapshot = new Snapshot("key");
      assert.ok(!await snapshot.exists());
      using monitor = monitorOf("state");
      await snapshot.save(monitor.path);
      assert.ok(await snapshot.exists());
      const [, uri = ""] = await snapshot.arguments();
      const { stdout } = await new Deno.Command("sh", { args: ["-c", program(uri)] }).output();
      assert.equal(new TextDecoder().decode(stdout), "state");
      const left = await Array.fromAsync(Deno.readDir(`${cache}/snapshots`), (entry) => entry.name);
      assert.deepEqual(left, ["key.state"]);
    }, name);
  });
}

Deno.test("a snapshot that another process is saving is left to it", async () => {
  await inCache(async () => {
    const snapshot = new Snapshot("key");
    using monitor = monitorOf("state");
    {
      await using _other = await tryLock(await lockFile("snapshots/key"));
      await snapshot.save(monitor.path);
      assert.equal(monitor.connections, 0);
    }
    await snapshot.save(monitor.path);
    await snapshot.save(monitor.path);
    assert.equal(monitor.connections, 1);
  });
});

Deno.test("saving a snapshot removes the oldest ones, and what a killed process left", async () => {
  await inCache(async (cache) => {
    await Deno.mkdir(`${cache}/snapshots`);
    const old = async (name: string, time: number) => {
      await Deno.writeTextFile(`${cache}/snapshots/${name}`, "");
      await Deno.utime(`${cache}/snapshots/${name}`, time, time);
    };
    for (let i = 1; i <= 5; i++) await old(`${i}.state`, i);
    await old("key.making-1", 0);
    await old("other.making-1", 0);
    using monitor = monitorOf("state");
    await new Snapshot("key").save(monitor.path);
    const left = await Array.fromAsync(Deno.readDir(`${cache}/snapshots`), ({ name }) => name);
    assert.deepEqual(left.sort(), ["3.state", "4.state", "5.state", "key.state", "other.making-1"]);
  });
});
