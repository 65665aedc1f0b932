/**
 * The matrices of docs/ci/: that they parse, that their shell is what bash takes, and that they are
 * what `matrix plan` prints.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { gitlabPlan, planEntries } from "../cli/matrix_plan.ts";

const read = async (name: string) =>
  parse(await Deno.readTextFile(new URL(`../docs/ci/${name}`, import.meta.url)), { strict: true });

/** What bash says of a script that it only reads. */
async function bashReads(script: string): Promise<string> {
  const args = ["-nc", script.replace(/\$\{\{.*?\}\}/g, "x")];
  const { stderr } = await new Deno.Command("bash", { args, stdin: "null" }).output();
  return new TextDecoder().decode(stderr);
}

Deno.test("docs/ci/gitlab-ci.yml has the jobs that matrix plan prints, and shell that bash takes", async () => {
  const { lab, page, stages } = await read("gitlab-ci.yml");
  const axes = { kernel: ["debian:6.12", "debian:latest"], topology: ["loopback"] };
  assert.deepEqual(lab.parallel.matrix, gitlabPlan({ ...axes, shards: 2 }));
  for (const job of [lab, page]) {
    assert.ok(stages.includes(job.stage));
    const lines: string[] = [...job.script, ...job.after_script ?? []];
    assert.ok(lines.length > 0);
    for (const line of lines) assert.equal(await bashReads(line), "");
  }
});

Deno.test("docs/ci/github-matrix.yml plans, runs and shows; its shell is what bash takes", async () => {
  const { jobs } = await read("github-matrix.yml");
  assert.deepEqual(Object.keys(jobs), ["plan", "lab", "page"]);
  assert.equal(jobs.lab.strategy.matrix, "${{ fromJSON(needs.plan.outputs.matrix) }}");
  const used = new Set(JSON.stringify(jobs.lab).match(/(?<=matrix\.)\w+/g));
  const [entry = {}] = planEntries({ kernel: ["debian:6.1"] });
  assert.deepEqual([...used].sort(), Object.keys(entry).sort());
  for (const { steps } of Object.values<{ steps: { uses?: string; run?: string }[] }>(jobs)) {
    for (const { uses, run } of steps) {
      assert.notEqual(uses === undefined, run === undefined, "one of the two");
      if (uses !== undefined) assert.match(uses, /^actions\/[a-z-]+@v\d+$/);
      else assert.equal(await bashReads(run ?? ""), "");
    }
  }
});
