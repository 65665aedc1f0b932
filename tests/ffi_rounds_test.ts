import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";

const SUPPORT = fileURLToPath(new URL("support/", import.meta.url));

/** Runs one of the programs that tools/ffi_loops.ts has in its VM. */
async function run(name: string, ...args: readonly string[]): Promise<string> {
  const { success, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `${SUPPORT}${name}.ts`, ...args],
    stdin: "null",
    signal: AbortSignal.timeout(120_000),
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  assert.ok(success, `it ended by ${signal}`);
  return new TextDecoder().decode(stdout);
}

Deno.test("loops of fast calls give what libc gives, before and after the engine compiles them", async () => {
  const text = await run("ffi_rounds", "120", "0");
  assert.equal(text, `round 100\nall 120 rounds passed on ${Deno.build.arch}\n`);
});

Deno.test("a null pointer in a branch of a loop does not end the process", async () => {
  assert.equal(await run("ffi_report"), "");
});
