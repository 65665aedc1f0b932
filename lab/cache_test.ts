import assert from "node:assert/strict";
import { cached, cachePath, cacheRoot, consoleFolder } from "./cache.ts";
import { labToken } from "./token.ts";

/**
 * Calls `body` with a cache of its own. The variable itself is the whole process's, and with it that
 * of the tests beside this one and of what they start.
 */
async function inCache(body: () => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const { get } = Deno.env;
  Deno.env.get = (name) => name === "VSOCK_CONFORMANCE_CACHE" ? folder : get(name);
  try {
    await body();
  } finally {
    Deno.env.get = get;
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("cached() makes a thing once, and again when it is damaged", async () => {
  await inCache(async () => {
    let made = 0;
    const damage: string[] = [];
    const make = async (folder: string) => {
      made++;
      await Deno.mkdir(`${folder}/sub`);
      await Deno.writeTextFile(`${folder}/sub/file`, "content");
    };
    const get = () => cached(["things", "one"], make, (what) => damage.push(what));
    const folder = await get();
    await get();
    assert.deepEqual([made, damage], [1, []]);
    await Deno.writeTextFile(`${folder}/sub/file`, "kontent");
    await get();
    assert.equal(made, 2);
    assert.match(damage.join(), /sub\/file is damaged/);
    await Deno.remove(`${folder}/sub/file`);
    await get();
    await Deno.writeTextFile(`${folder}/manifest.json`, "{");
    await get();
    assert.equal(made, 4);
    assert.equal(await Deno.readTextFile(`${folder}/sub/file`), "content");
  });
});

Deno.test("cached() leaves nothing behind when making fails", async () => {
  await inCache(async () => {
    const make = () => Promise.reject(new Error("no such luck"));
    await assert.rejects(cached(["things", "one"], make, () => {}), /no such luck/);
    const parent = await cached(["things", "two"], async () => {}, () => {});
    const left = await Array.fromAsync(Deno.readDir(`${parent}/..`), ({ name }) => name);
    assert.deepEqual(left, ["two"]);
  });
});

Deno.test("cached() says what to do when the disk is full", async () => {
  await inCache(async () => {
    const make = () => Promise.reject(new Error("No space left on device (os error 28)"));
    await assert.rejects(
      cached(["x"], make, () => {}),
      /The disk is full.*set VSOCK_CONFORMANCE_CACHE/,
    );
  });
});

Deno.test("consoleFolder() keeps the newest runs only", async () => {
  await inCache(async () => {
    const first = await consoleFolder();
    const parent = first.slice(0, first.lastIndexOf("/"));
    for (let i = 0; i < 30; i++) await Deno.mkdir(`${parent}/2000-${String(i).padStart(2, "0")}`);
    await consoleFolder();
    const left = await Array.fromAsync(Deno.readDir(parent), ({ name }) => name);
    assert.equal(left.length, 20);
    assert.ok(left.includes(first.slice(parent.length + 1)) && !left.includes("2000-00"));
  });
});

Deno.test("labToken() is one of a cache's own, which only its owner reads", async () => {
  const tokens: string[] = [];
  for (let i = 0; i < 2; i++) {
    await inCache(async () => {
      // Also where several labs make it at once.
      const all = await Promise.all(Array.from({ length: 5 }, labToken));
      assert.equal(new Set([...all, await labToken()]).size, 1);
      tokens.push(...all);
      assert.equal(((await Deno.stat(cachePath("agent-token"))).mode ?? 0) & 0o777, 0o600);
      const files = await Array.fromAsync(Deno.readDir(cacheRoot()));
      assert.deepEqual(files.map(({ name }) => name), ["agent-token"]);
    });
  }
  assert.equal(new Set(tokens).size, 2);
  for (const token of tokens) assert.match(token, /^[0-9a-f]{32}$/);
});
