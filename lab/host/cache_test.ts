import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { inCache, withVariables } from "../../tests/support/own_cache.ts";
import { cached, cacheFolder, cacheRoot, consoleFolder, withLock } from "./cache.ts";
import { LabError } from "../error.ts";
import { labToken } from "../token.ts";

/** Nobody waits in these tests. */
const SILENT = () => {};

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

Deno.test("cached() makes a thing again where that is wished", async () => {
  await inCache(async () => {
    let made = 0;
    const get = (refresh: boolean) =>
      cached(["x"], (folder) => Deno.writeTextFile(`${folder}/f`, `${++made}`), SILENT, {
        refresh,
      });
    await get(false);
    await get(false);
    const folder = await get(true);
    assert.equal(await Deno.readTextFile(`${folder}/f`), "2");
  });
});

Deno.test("cached() removes what a killed process left of the same thing", async () => {
  await inCache(async (cache) => {
    await Deno.mkdir(`${cache}/things/one.making-abc`, { recursive: true });
    await Deno.mkdir(`${cache}/things/one-more.making-abc`);
    await cached(["things", "one"], async () => {}, SILENT);
    const left = await Array.fromAsync(Deno.readDir(`${cache}/things`), ({ name }) => name);
    assert.deepEqual(left.sort(), ["one", "one-more.making-abc"]);
  });
});

Deno.test("cached() and withLock() work in a folder of any name", async () => {
  await inCache(async (cache) => {
    const folder = await cached(["a", "b"], (at) => Deno.writeTextFile(`${at}/f`, ""), SILENT);
    assert.equal(folder, `${cache}/a/b`);
    assert.equal(await withLock("a/b", undefined, SILENT, () => Promise.resolve(7)), 7);
  }, "a, b's “Möhren”");
});

Deno.test("cacheRoot() is in the user's home where HOME is not set", async () => {
  const none = { VSOCK_CONFORMANCE_CACHE: undefined, XDG_CACHE_HOME: undefined, HOME: undefined };
  await withVariables(none, () => {
    assert.equal(cacheRoot(), `${userInfo().homedir}/.cache/vsock-conformance`);
  });
  await withVariables({ ...none, XDG_CACHE_HOME: "/x" }, () => {
    assert.equal(cacheRoot(), "/x/vsock-conformance");
  });
});

for (const variable of ["VSOCK_CONFORMANCE_CACHE", "XDG_CACHE_HOME", "HOME"]) {
  Deno.test(`a cache that ${variable} puts where others can write is not used`, async () => {
    await inCache(async (shared) => {
      const planted = `${shared}/.cache/vsock-conformance/things/one`;
      await Deno.mkdir(planted, { recursive: true });
      await Deno.writeTextFile(`${planted}/manifest.json`, "{}");
      await Deno.chmod(shared, 0o777);
      const variables = {
        VSOCK_CONFORMANCE_CACHE: undefined,
        XDG_CACHE_HOME: undefined,
        HOME: undefined,
        [variable]: shared,
      };
      await withVariables(variables, async () => {
        const made = cached(["things", "one"], () => assert.fail("it was made there"), SILENT);
        await assert.rejects(made, (error: unknown) => {
          assert.ok(error instanceof LabError);
          assert.match(error.message, /others may write to .*\(mode 0777\).*chmod go-w/);
          assert.match(error.message, /set VSOCK_CONFORMANCE_CACHE to a folder that only you/);
          return true;
        });
      });
    });
  });
}

Deno.test("cacheFolder() makes folders for this user alone", async () => {
  await inCache(async () => {
    await cacheFolder("a", "b");
    for (const folder of [await cacheFolder("a"), await cacheFolder("a", "b")]) {
      assert.equal(((await Deno.stat(folder)).mode ?? 0) & 0o777, 0o700);
    }
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

Deno.test("consoleFolder() gives each lab a folder, and keeps those of labs that are up", async () => {
  await inCache(async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => consoleFolder()));
    assert.equal(new Set(all).size, 5);
    const [kept = ""] = all;
    const labs = await cacheFolder("labs");
    await Deno.writeTextFile(`${labs}/x.json`, JSON.stringify({ consoles: [`${kept}/a.log`] }));
    for (let i = 0; i < 25; i++) await consoleFolder();
    assert.ok((await Deno.stat(kept)).isDirectory);
    await assert.rejects(Deno.stat(all[1] ?? ""), Deno.errors.NotFound);
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
      assert.equal(((await Deno.stat(`${cacheRoot()}/agent-token`)).mode ?? 0) & 0o777, 0o600);
      const files = await Array.fromAsync(Deno.readDir(cacheRoot()));
      assert.deepEqual(files.map(({ name }) => name), ["agent-token"]);
    });
  }
  assert.equal(new Set(tokens).size, 2);
  for (const token of tokens) assert.match(token, /^[0-9a-f]{32}$/);
});
