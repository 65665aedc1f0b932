/**
 * Labs that start from a snapshot: as fit for verdicts as booted ones, and booted where the
 * snapshot is of no use.
 *
 * @module
 */
import assert from "node:assert/strict";
import { cacheRoot } from "../../lab/host/cache.ts";
import { runTool, until } from "../support/tool.ts";

/** How long a command may take, in milliseconds: the machine may be busy. */
const PATIENCE = 300_000;
const CASES = ["stream/close", "seqpacket/msg-trunc"];

/** A cache that has all but snapshots in common with the usual one. */
async function ownCache(): Promise<string> {
  const folder = await Deno.makeTempDir({ dir: cacheRoot(), prefix: "snapshot-test-" });
  for (const name of ["apt", "bundles", "consoles", "disks", "kernels"]) {
    await Deno.mkdir(`${cacheRoot()}/${name}`, { recursive: true });
    await Deno.symlink(`${cacheRoot()}/${name}`, `${folder}/${name}`);
  }
  return folder;
}

async function snapshots(cache: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(`${cache}/snapshots`));
  return entries.map(({ name }) => `${cache}/snapshots/${name}`);
}

Deno.test("lab restores a VM that it saved, and boots where it cannot", async (t) => {
  const cache = await ownCache();
  const lab = async (args: readonly string[], input?: string) => {
    const ended = await runTool(["lab", ...args], {
      patience: PATIENCE,
      env: { VSOCK_CONFORMANCE_CACHE: cache },
      ...(input === undefined ? {} : { input }),
    });
    return ended;
  };
  const judge = async (more: readonly string[], said: RegExp, notSaid?: RegExp) => {
    const { code, stdout, stderr } = await lab(["--topology", "loopback", ...more, ...CASES]);
    assert.match(stdout, /\n3 passed, 0 failed/, stderr);
    assert.equal(code, 0);
    assert.match(stderr, said);
    if (notSaid !== undefined) assert.doesNotMatch(stderr, notSaid);
  };
  try {
    await t.step("--cold leaves no snapshot behind", async () => {
      await judge(["--cold"], /booting a VM/, /saving/);
      assert.deepEqual(await snapshots(cache).catch(() => []), []);
    });
    await t.step("a boot does", async () => {
      await judge(
        [],
        /booting a VM [^]*saving a snapshot for the next time \.\.\. \d/,
        /restoring/,
      );
      assert.equal((await snapshots(cache)).length, 1);
    });
    await t.step("the next lab is there without a boot, any number of times", async () => {
      for (let i = 0; i < 2; i++) await judge([], /restoring a VM/, /booting|saving/);
    });
    await t.step("a restored VM has the time of day, its console and its log", async () => {
      const up = await lab(["up", "--topology", "loopback", "--name", "snapshot-test"]);
      assert.match(up.stderr, /restoring a VM/);
      try {
        const shell = ["shell", "loopback", "--name", "snapshot-test"];
        const { stdout } = await lab(shell, "date +%s; echo '<2>said now' >/dev/kmsg");
        const behind = Date.now() / 1000 - Number(stdout.trim());
        assert.ok(Math.abs(behind) < 30, `the VM's clock is ${behind} s behind`);
        const state = JSON.parse(await Deno.readTextFile(`${cache}/labs/snapshot-test.json`));
        const said = async () => {
          return (await Deno.readTextFile(state.vms[0].console)).includes("said now");
        };
        await until(said, "the console does not say what the log does");
      } finally {
        assert.equal((await lab(["down", "--name", "snapshot-test"])).code, 0);
      }
    });
    await t.step("a damaged snapshot is said, thrown away, and made again", async () => {
      const [path = ""] = await snapshots(cache);
      await Deno.truncate(path, 1_000_000);
      await judge([], /restoring [^]*failed [^]*; booting instead\n[^]*booting [^]*saving/);
      await judge([], /restoring a VM/, /booting/);
    });
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});
