/**
 * What runs the project's tests: that it counts right, and that nothing can make it hang.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runTestFiles, type TestCounts, testFilesBelow } from "../tools/test_files.ts";

/** Runs test files of these texts. */
async function run(
  files: Readonly<Record<string, string>>,
  limit = 60_000,
): Promise<TestCounts & { readonly shown: string }> {
  const root = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${root}/${name}_test.ts`, text);
    }
    let shown = "";
    const show = (text: string) => void (shown += text);
    const all = await testFilesBelow(root, (path) => path !== "not_test.ts");
    const counts = await runTestFiles(all, { root, env: {}, jobs: 2, limit, show });
    return { ...counts, shown };
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const PASSES = `Deno.test("passes", async (t) => { await t.step("in it", () => {}); });\n`;

Deno.test("runTestFiles() counts what passed, failed and was not run", async () => {
  const { shown, ...counts } = await run({
    good: PASSES + PASSES,
    bad: `${PASSES}Deno.test("fails", () => { throw new Error("why it does"); });`,
    partly: `${PASSES}Deno.test({ name: "is not run", ignore: true, fn() {} });
      Deno.test("steps", async (t) => {
        await t.step({ name: "nor this", ignore: true, fn() {} });
        console.log("it says ... ok (1ms)\\n ... ignored (0ms)\\nx ... ignored (1ms)");
      });`,
    broken: `${PASSES}throw new Error("does not load");`,
    not: PASSES,
  });
  assert.deepEqual(counts, {
    passed: 5,
    failed: 2,
    ignored: ["partly_test.ts: is not run", "partly_test.ts: nor this"],
  });
  assert.match(shown, /^FAILED: bad_test.ts \(1 passed, 1 failed, [\d.]+ s\)$/m);
  assert.match(shown, /why it does/);
  assert.match(shown, /does not load/);
  assert.match(shown, /^ok: good_test.ts \(2 passed, 0 failed, /m);
});

Deno.test("a test that hangs is ended with its processes, and says what it waited for", async () => {
  const started = performance.now();
  const { passed, failed, shown } = await run({
    waits: `${PASSES}Deno.test("waits", async (t) => {
        await t.step("before", () => {});
        await t.step("for a program", async () => {
          const args = ["-c", "trap '' TERM; sleep 6543 & wait"];
          await new Deno.Command("sh", { args }).spawn().status;
        });
      });`,
    spins: `${PASSES}Deno.test("spins", () => { for (;;); });`,
  }, 3000);
  assert.ok(performance.now() - started < 60_000);
  assert.deepEqual([passed, failed], [2, 2]);
  const text = `waits_test.ts: "waits", "for a program" had not ended after 3 s; ` +
    "it waited for these processes:";
  assert.ok(shown.includes(`FAILED: ${text}`), shown);
  const [, pid] = /\n {2}(\d+): sleep 6543\n/.exec(shown) ?? [];
  // It has gone, or nobody has taken note of its end yet.
  assert.equal(await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => ""), "", shown);
  assert.match(shown, /spins_test.ts: "spins" had not ended .* for none of its processes\n/);
});

Deno.test("a process that outlives its test does not hold it up", async () => {
  const { passed, failed } = await run({
    leaves: `Deno.test("leaves", async () => {
        const args = ["-c", "sleep 8 & echo"];
        const child = new Deno.Command("sh", { args }).spawn();
        await child.status;
      });`,
  });
  assert.deepEqual([passed, failed], [1, 0]);
});
