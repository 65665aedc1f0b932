/**
 * Processes that want the same at once.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { inCache } from "../../tests/support/own_cache.ts";
import { withLock } from "./cache.ts";
import { tryLock } from "./lock.ts";

const USER = fileURLToPath(new URL("../../tests/support/cache_user.ts", import.meta.url));

function startUser(
  cache: string,
  what: string,
  env: Readonly<Record<string, string>> = {},
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", USER, what],
    env: { ...env, VSOCK_CONFORMANCE_CACHE: cache },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

Deno.test("three processes that need a thing at once make it once", async () => {
  await inCache(async (cache) => {
    const users = [1, 2, 3].map(() => startUser(cache, "make"));
    const said = await Promise.all(users.map((user) => new Response(user.stdout).text()));
    for (const user of users) assert.ok((await user.status).success, said.join(""));
    const makers = users.filter((_, i) => said[i]?.includes("making\n"));
    assert.equal(makers.length, 1, said.join(""));
    const pid = makers[0]?.pid;
    for (const text of said) {
      assert.match(text, new RegExp(`got ${pid} ${pid}\n`));
      assert.doesNotMatch(text, /damage/);
    }
    const left = await Array.fromAsync(Deno.readDir(`${cache}/locks`));
    assert.deepEqual(left, []);
  });
});

/** In apt's place: package lists are made in half a second, and by one at a time. */
const FAKE_APT: Readonly<Record<string, string>> = {
  "apt-config": "exit 0",
  "apt-get": `[ "$2" != --print-uris ] ||
    { echo "'http://site.invalid/debian/dists/bookworm/InRelease' x 0"; exit; }
    folder=$(dirname "$APT_CONFIG")
    mkdir "$folder/lists/busy" || { echo "Could not get lock" >&2; exit 100; }
    sleep 0.5
    grep -c . "$folder/sources.list" >"$folder/lists/new"
    mv "$folder/lists/new" "$folder/lists/all"
    rmdir "$folder/lists/busy"`,
  "apt-cache": `folder=$(dirname "$APT_CONFIG")
    [ -s "$APT_CONFIG" ] && [ -s "$folder/sources.list" ] || { echo "E: no sources" >&2; exit 100; }
    case $1 in
      pkgnames) echo linux-image-1 ;;
      show) printf 'Package: %s\\nVersion: %s\\n' "$2" "$(cat "$folder/lists/all")" ;;
    esac`,
};

Deno.test("three processes that fetch one cache's package lists at once all find what is in them", async () => {
  await inCache(async (cache) => {
    const bin = `${cache}/../bin`;
    await Deno.mkdir(bin);
    for (const [name, text] of Object.entries(FAKE_APT)) {
      await Deno.writeTextFile(`${bin}/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    const env = { PATH: `${bin}:${Deno.env.get("PATH")}` };
    const all = async (count: number) => {
      const users = Array.from({ length: count }, () => startUser(cache, "lists", env));
      const said = await Promise.all(users.map((user) => new Response(user.stdout).text()));
      for (const user of users) assert.ok((await user.status).success, said.join(""));
      for (const text of said) assert.equal(text, "found linux-image-1 4\n".repeat(20));
    };
    await all(3);
    // Of what others may be reading, nothing is written anew that stays the same.
    const folder = `${cache}/apt/amd64-all`;
    const files = ["apt.conf", "sources.list", "status"];
    const states = async () =>
      await Promise.all(files.map(async (name) => {
        const { ino, mtime } = await Deno.stat(`${folder}/${name}`);
        return [name, ino, mtime?.getTime()];
      }));
    const before = await states();
    await all(1);
    assert.deepEqual(await states(), before);
  });
});

Deno.test("a lock names who has it, and goes with that process however it ends", async () => {
  await inCache(async (cache) => {
    await using holder = startUser(cache, "hold");
    const reader = holder.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const sleeper = Number(/holding (\d+)/.exec((await reader.read()).value ?? "")?.[1]);
    try {
      const waits: string[] = [];
      const stop = new AbortController();
      const given = withLock("things/one", stop.signal, (what) => {
        waits.push(what);
        stop.abort(new Error("enough"));
      }, () => assert.fail("two have it"));
      await assert.rejects(given, /enough/);
      assert.deepEqual(waits, [`waiting until process ${holder.pid} is done with things/one`]);
      holder.kill("SIGKILL");
      // What it had started still runs, and has no part in the lock.
      const late = AbortSignal.timeout(20_000);
      assert.equal(await withLock("things/one", late, () => {}, () => Promise.resolve(1)), 1);
      Deno.kill(sleeper, "SIGTERM");
    } finally {
      await reader.cancel();
    }
  });
});

Deno.test("tryLock() gives a lock to one at a time, in one process, too", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  try {
    let inside = 0;
    let most = 0;
    const worker = async () => {
      for (let i = 0; i < 50;) {
        await using lock = await tryLock(`${folder}/lock`);
        if (lock === undefined) continue;
        most = Math.max(most, ++inside);
        await Deno.stat(folder);
        inside--;
        i++;
      }
    };
    await Promise.all([worker(), worker(), worker()]);
    assert.equal(most, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
