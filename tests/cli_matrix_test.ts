/**
 * The command `matrix`, as far as it needs no VM.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseReport } from "../report/schema.ts";
import { exampleReport } from "./support/example_run.ts";
import { runTool } from "./support/tool.ts";

Deno.test("matrix run goes on where a lab does not start, and its page says why", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-matrix-" });
  try {
    const kernels = ["--kernel", "/nonexistent/a", "--kernel", "/nonexistent/b"];
    const out = `${folder}/out`;
    const { code, stderr } = await runTool([
      ...["matrix", "run", ...kernels, "--topology", "loopback", "-o", out, "stream/close"],
    ]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /matrix: 2 of 2: nonexistent-b-loopback/);
    for (const name of ["a", "b"]) {
      const path = `${out}/nonexistent-${name}-loopback.json`;
      const { notStarted } = parseReport(await Deno.readTextFile(path), path);
      assert.match(notStarted?.reason ?? "", /There is no kernel at \/nonexistent\//);
    }
    for (const file of ["index.html", "matrix.md"]) {
      const page = await Deno.readTextFile(`${out}/${file}`);
      assert.match(page, /Did not start: There is no kernel at \/nonexistent\/a/);
      assert.match(page, /Did not start: There is no kernel at \/nonexistent\/b/);
    }
    // An option that lab does not take: no report of its own, and still a column.
    const args = ["matrix", "run", "--topology", "ring", "-o", out];
    assert.equal((await runTool(args)).code, 2);
    assert.match(await Deno.readTextFile(`${out}/matrix.md`), /lab ended with 2 and left no/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("matrix render makes a page or Markdown of stored reports", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-matrix-" });
  try {
    const json = `${folder}/a.json`;
    await Deno.writeTextFile(json, JSON.stringify(exampleReport()));
    const html = await runTool(["matrix", "render", json]);
    assert.match(html.stdout, /^<!DOCTYPE html>[^]*1 implementation/);
    const md = `${folder}/a.md`;
    const { code, stderr } = await runTool(["matrix", "render", json, "-o", md]);
    assert.equal(code, 0, stderr);
    assert.match(await Deno.readTextFile(md), /^# 1 implementation\n[^]*\n\| stream \| /);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("matrix plan prints each combination and shard, as GitHub and GitLab read them", async () => {
  const axes = ["--kernel", "debian:6.1", "--kernel", "debian:6.12", "--topology", "loopback"];
  const plan = async (...more: string[]) => {
    const { code, stdout, stderr } = await runTool(["matrix", "plan", "--json", ...axes, ...more]);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const { include } = await plan("--shards", "2");
  assert.equal(include.length, 4);
  assert.deepEqual(include[1], {
    name: "debian-6.1-loopback-2-of-2",
    args: "--kernel debian:6.1 --topology loopback --shard 2/2",
  });
  assert.deepEqual((await plan("--gitlab"))[1], {
    VSOCK_NAME: "debian-6.12-loopback",
    VSOCK_ARGS: "--kernel debian:6.12 --topology loopback",
  });
});
