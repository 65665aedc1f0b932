import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { parse } from "yaml";

const path = (name: string) => fileURLToPath(new URL(`../docs/ci/${name}`, import.meta.url));

/** What bash says of a script that it only reads. */
async function bashReads(script: string): Promise<string> {
  const command = new Deno.Command("bash", { args: ["-n"], stdin: "piped", stderr: "piped" });
  await using child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const { stderr } = await child.output();
  return new TextDecoder().decode(stderr);
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

Deno.test("docs/ci/run.sh is what bash takes, and can be executed", async () => {
  assert.equal(await bashReads(await Deno.readTextFile(path("run.sh"))), "");
  assert.ok(((await Deno.stat(path("run.sh"))).mode ?? 0) & 0o100);
});

Deno.test("docs/ci/github-actions.yml is YAML whose steps each use or run something", async () => {
  const text = await Deno.readTextFile(path("github-actions.yml"));
  const { jobs } = parse(text, { strict: true }) as {
    jobs: Record<string, { steps: readonly Step[]; "runs-on": string }>;
  };
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  assert.ok(steps.length > 0);
  for (const { uses, run } of steps) {
    assert.notEqual(uses === undefined, run === undefined, "one of the two");
    if (uses !== undefined) assert.match(uses, /^actions\/[a-z-]+@v\d+$/);
    else assert.equal(await bashReads(run?.replace(/\$\{\{.*?\}\}/g, "x") ?? ""), "");
  }
  assert.ok(steps.some(({ run }) => run?.startsWith("docs/ci/run.sh ")));
  assert.ok(steps.some(({ with: given }) => given?.path === "reports/"));
});
