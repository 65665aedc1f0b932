/**
 * Signals while the lab prepares and boots: each phase ends at once, with 128 and the signal's number,
 * and leaves no process and no file outside the cache.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Tool, until } from "../support/tool.ts";

/** How long an end may take, in milliseconds; a second on a machine that has nothing else to do. */
const END_TIME = 3000;
/** How long a phase may take to come, in milliseconds: packages are fetched. */
const PATIENCE = 300_000;

/** Phases, by what there is while they last. */
const PHASES = [
  [
    "package lists",
    "SIGINT",
    130,
    (cache: string) => exists(`${cache}/apt/amd64-current/lists/partial`),
  ],
  ["a download", "SIGTERM", 143, (cache: string) => someBegins(`${cache}/apt`, "deb-")],
  ["the unpacking", "SIGTERM", 143, (cache: string) => runsIn(cache, "dpkg-deb")],
  ["the boot", "SIGHUP", 129, (cache: string) => runsIn(cache, "qemu-system")],
  ["the boot", "SIGTERM", 143, (cache: string) => runsIn(cache, "qemu-system")],
] as const;

Deno.test("a signal ends each phase of the lab, which leaves nothing behind", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-signals-" });
  const [cache, temporary] = [`${folder}/cache`, `${folder}/tmp`];
  await Deno.mkdir(cache);
  await Deno.mkdir(temporary);
  try {
    for (const [phase, signal, expected, isThere] of PHASES) {
      await t.step(`${signal} in ${phase}`, async () => {
        const args = [
          "lab",
          "--arch",
          "x86_64",
          "--topology",
          "loopback",
          "--cold",
          "stream/close",
        ];
        const env = { VSOCK_CONFORMANCE_CACHE: cache, TMPDIR: temporary };
        await using tool = new Tool(args, { env, patience: PATIENCE });
        await until(() => isThere(cache), `${phase} did not come`);
        const sent = performance.now();
        tool.interrupt(signal);
        const { code, stderr } = await tool.ended();
        const time = performance.now() - sent;
        assert.equal(code, expected, stderr);
        assert.ok(time < END_TIME, `it ended ${Math.round(time)} ms later:\n${stderr}`);
        assert.deepEqual(await processesOf(folder), []);
        assert.deepEqual(await Array.fromAsync(Deno.readDir(temporary)), []);
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function someBegins(folder: string, prefix: string): Promise<boolean> {
  for await (const { name } of Deno.readDir(folder)) if (name.startsWith(prefix)) return true;
  return false;
}

async function runsIn(folder: string, program: string): Promise<boolean> {
  return (await processesOf(folder)).some((line) => line.includes(program));
}

/** The command lines that name something in a folder. */
async function processesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (line.includes(folder)) found.push(line.replaceAll("\0", " "));
  }
  return found;
}
