/**
 * The kernel that counts lines: it is built over allnoconfig with the fragment that
 * `lab kernel config --coverage` prints, so that this shows that the fragment is enough, too.
 *
 * The build takes 15 min or more unless it is in the cache, so that this runs only where
 * VSOCK_CONFORMANCE_SLOW is set.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ownArch } from "../../lab/arch.ts";
import { parseCoverage, sharesOf } from "../../gcov/model.ts";
import { runLab } from "./support.ts";

Deno.test({
  name: "the fragment over allnoconfig makes a kernel that boots and counts what cases run",
  ignore: !Deno.env.get("VSOCK_CONFORMANCE_SLOW"),
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "vsock-coverage-" });
    try {
      const arch = ["--arch", ownArch().name];
      const built = await runLab(["lab", "build-kernel", "coverage", ...arch]);
      assert.equal(built.code, 0, built.stderr);
      const { code, stdout, stderr } = await runLab([
        ...["lab", "--topology", "loopback", ...arch, "--coverage", folder, "stream/close"],
      ]);
      assert.equal(code, 0, stdout + stderr);
      const coverage = parseCoverage(await Deno.readTextFile(`${folder}/coverage.json`), folder);
      const file = (name: string) =>
        coverage.files.find(({ path }) => path.endsWith(`/${name}`)) ?? assert.fail(name);
      const countOf = (source: string, name: string) =>
        file(source).functions.find((each) => each.name === name)?.count;
      assert.ok((countOf("af_vsock.c", "vsock_connect") ?? 0) > 0, "nothing connected");
      assert.equal(countOf("af_vsock.c", "vsock_init"), 0, "a boot counts as a case");
      assert.equal(countOf("vsock_bpf.c", "vsock_bpf_recvmsg"), 0);
      assert.equal(sharesOf([file("diag.c")]).lines.ran, 0, "a case of stream/ ran diag.c");
      const ids = coverage.cases.map(({ id }) => id).sort();
      assert.deepEqual(ids, [
        "stream/close/by-client-keeps-data",
        "stream/close/by-server-keeps-data",
      ]);
      assert.deepEqual(coverage.runs[0]?.lost, []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
