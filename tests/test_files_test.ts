/**
 * What runs the project's tests: that it counts right, and that nothing can make it hang.
 *
 * @module
 */
import assert from "node:assert/strict";
import { isOnPath, NEEDS, sortOut } from "../tools/needs.ts";
import { firstErrorLine, summaryOf, type TestCounts } from "../tools/tally.ts";
import { runTestFiles, testFilesBelow } from "../tools/test_files.ts";

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
  assert.deepEqual({ ...counts, failures: counts.failures.toSorted() }, {
    passed: 5,
    failed: 2,
    failures: [
      "bad_test.ts: fails: Error: why it does",
      "broken_test.ts: outside of a test, in ./broken_test.ts: Error: does not load",
    ],
    ignored: ["partly_test.ts: is not run", "partly_test.ts: nor this"],
  });
  assert.match(shown, /^FAILED: bad_test.ts \(1 passed, 1 failed, [\d.]+ s\)$/m);
  assert.match(shown, /why it does/);
  assert.match(shown, /does not load/);
  assert.match(shown, /^ok: good_test.ts \(2 passed, 0 failed, /m);
});

Deno.test("runTestFiles() gives each failure the line that says why", async () => {
  const { failed, failures } = await run({
    fails: `import assert from "node:assert/strict";
      Deno.test("differs", () => assert.equal(1, 2));
      Deno.test("lists", () => assert.deepEqual(["a", "b"], []));
      Deno.test("has steps", async (t) => {
        await t.step("one", async (t) => {
          await t.step("in it", () => { throw new TypeError("no good\\nat all"); });
        });
        await t.step("two", () => { console.log(" ERRORS \\n\\nx => y:1:1\\nerror: z\\n\\n"); });
      });
      Deno.test("throws a text", () => { throw "no more"; });`,
    late: `Deno.test("late", async () => {
        setTimeout(() => { throw new Error("nobody waits"); }, 1);
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });`,
    lacks: `import "./not_there.ts"; Deno.test("lacks", () => {});`,
    killed: `Deno.test("killed", () => Deno.kill(Deno.pid, "SIGKILL"));`,
  });
  assert.deepEqual(failures.toSorted().map((text) => text.replace(/file:\S+\//, "")), [
    "fails_test.ts: differs: AssertionError: Expected values to be strictly equal: 1 !== 2",
    "fails_test.ts: has steps ... one ... in it: TypeError: no good",
    "fails_test.ts: lists: AssertionError: Expected values to be strictly deep-equal: " +
    "+ [ +   'a', +   'b' + ]",
    'fails_test.ts: throws a text: "no more"',
    "killed_test.ts: no test failed, but its process did: it ended by SIGKILL",
    'lacks_test.ts: no test failed, but its process did: Module not found "not_there.ts".',
    "late_test.ts: outside of a test, in ./late_test.ts: Error: nobody waits",
  ]);
  assert.equal(failed, 8);
});

Deno.test("summaryOf() ends with the names of what was not run and what failed", () => {
  const none = { passed: 3, failed: 0, failures: [], ignored: [] };
  assert.equal(summaryOf(none), "3 passed, 0 failed");
  const some = { passed: 3, failed: 1, failures: ["a: b: why"], ignored: ["c: d", "e: f"] };
  assert.equal(
    summaryOf(some),
    "skipped: c: d\nskipped: e: f\nfailed: a: b: why\n3 passed, 1 failed, 2 skipped",
  );
});

Deno.test("firstErrorLine() finds what a check says is wrong", () => {
  const type = "Check a.ts\nTS2322 [ERROR]: Type 'a' is not 'b'.\n    at x\n\nerror: Failed.\n";
  assert.equal(firstErrorLine(type), "TS2322 [ERROR]: Type 'a' is not 'b'.");
  assert.equal(firstErrorLine("\nfrom a.ts:\n1 | x\n\nerror: Found 1 file\n"), "Found 1 file");
  assert.equal(firstErrorLine("a imports b\nc imports d\n\n"), "c imports d");
  assert.equal(firstErrorLine("\n"), "it wrote nothing");
});

Deno.test("a test that hangs is ended with its processes, and says what it waited for", async () => {
  const started = performance.now();
  const { passed, failed, failures, shown } = await run({
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
  assert.ok(failures.some((line) => line.startsWith(text)), failures.join("\n"));
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

Deno.test("a missing program is one failure, and the tests that need it are skipped", async () => {
  const files = ["a/b_test.ts", "tests/vm/one_test.ts", "tests/vm/two_test.ts"];
  const asked: string[] = [];
  const sorted = await sortOut(files, (program) => {
    asked.push(program);
    return Promise.resolve(program !== "apt-cache");
  });
  assert.deepEqual(sorted.files, ["a/b_test.ts"]);
  assert.deepEqual(sorted.counts, {
    passed: 0,
    failed: 1,
    failures: [
      "apt-cache: it is not on this machine; " +
      "the lab's programs and kernels are Debian packages: use a machine with Debian",
    ],
    ignored: ["tests/vm/one_test.ts: needs apt-cache", "tests/vm/two_test.ts: needs apt-cache"],
  });
  assert.ok(!asked.includes("git"), "nobody needs it");
  const all = await sortOut(files, () => Promise.resolve(true));
  assert.deepEqual([all.files, all.counts.failed], [files, 0]);
});

Deno.test("the files that need a program are there, and so is what everybody has", async () => {
  for (const path of NEEDS.flatMap(({ files }) => files)) {
    await Deno.stat(new URL(`../${path}`, import.meta.url));
  }
  assert.equal(await isOnPath("sh"), true);
  assert.equal(await isOnPath("no-such-program"), false);
});
