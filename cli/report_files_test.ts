import assert from "node:assert/strict";
import { cleanStrings } from "../core/clean.ts";
import { EXIT } from "../core/outcome.ts";
import { parseReport } from "../report/schema.ts";
import { EXAMPLE_PLAN, exampleReport } from "../tests/support/example_run.ts";
import { withReports } from "./report_files.ts";

const INTENDED = {
  argv: [],
  startedAt: new Date(),
  caseTimeout: 1,
  plan: EXAMPLE_PLAN,
  topology: "loopback",
  seed: 1,
} as const;

/** The path of a report in a folder that goes with it. */
async function file() {
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  const path = `${folder}/run.json`;
  return {
    path,
    read: async () => parseReport(await Deno.readTextFile(path), path),
    async [Symbol.asyncDispose]() {
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("withReports() leaves no report of an earlier run, whatever becomes of this one", async () => {
  await using json = await file();
  await Deno.writeTextFile(json.path, JSON.stringify(exampleReport()));
  const targets = [{ format: "json", path: json.path }] as const;
  const code = await withReports(targets, INTENDED, async () => {
    // What whoever kills it now leaves.
    const { notStarted, cases } = await json.read();
    assert.match(notStarted?.reason ?? "", /^it had not when this was written/);
    assert.equal(cases.length, EXAMPLE_PLAN.length);
    return EXIT.unavailable;
  });
  assert.equal(code, EXIT.unavailable);
  assert.equal((await json.read()).notStarted?.reason, "the tool ended before it");
});

Deno.test("withReports() says why a run did not begin, and passes that on", async () => {
  await using json = await file();
  const targets = [{ format: "json", path: json.path }] as const;
  const error = new Error("QEMU is not there");
  await assert.rejects(withReports(targets, INTENDED, () => Promise.reject(error)), error);
  assert.equal((await json.read()).notStarted?.reason, "QEMU is not there");
  const stop = AbortSignal.abort(new Error("interrupted"));
  await assert.rejects(withReports(targets, INTENDED, () => Promise.reject(error), stop), error);
  assert.equal((await json.read()).notStarted?.reason, "interrupted");
});

Deno.test("withReports() writes what became of a run that began, however it ended", async () => {
  await using json = await file();
  const targets = [{ format: "json", path: json.path }] as const;
  const report = exampleReport(3);
  const ran = withReports(targets, INTENDED, (reports) => {
    reports.from(() => report);
    throw new Error("a defect");
  });
  await assert.rejects(ran, { message: "a defect" });
  assert.deepEqual(await json.read(), cleanStrings(report));
});

Deno.test("withReports() calls nothing where a file cannot be written or is named twice", async () => {
  await using json = await file();
  const good = { format: "json", path: json.path } as const;
  for (const path of ["/nonexistent/a", `${json.path}/../run.json`]) {
    const bad = { format: "ktap", path } as const;
    const never = () => assert.fail("it was called");
    await assert.rejects(withReports([good, bad], INTENDED, never), { name: "UsageError" });
  }
  await Deno.writeTextFile(json.path, "yesterday");
  const nowhere = { format: "ktap", path: "/nonexistent/a" } as const;
  await assert.rejects(withReports([good, nowhere], INTENDED, () => Promise.resolve(0)));
  assert.match((await json.read()).notStarted?.reason ?? "", /^Cannot write the report \/nonex/);
});
