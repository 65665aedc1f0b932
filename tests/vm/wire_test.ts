/**
 * `wire host` on a machine that is a host: a loopback VM, whose kernel is tried by a raw guest.
 *
 * @module
 */
import assert from "node:assert/strict";
import { DEFAULT_KERNEL } from "../../lab/kernel/kernel.ts";
import { parseReport } from "../../report/schema.ts";
import { inVm, testLab } from "./support.ts";

const WIRE_HOST = "deno run -A --no-check /app/vsock-conformance.js wire host";
/** Cases that Linux does not pass today (docs/kernels.md). */
const KNOWN = new Set(["wire/message/poll-waits-for-end"]);

Deno.test("wire host tries the kernel under it", async (t) => {
  const kernel = { kernel: DEFAULT_KERNEL };
  await using lab = await testLab({ topology: "loopback", kernel });

  await t.step("every case passes, but for what Linux is known to break", async () => {
    const options = "--quick --jobs 4 --case-timeout 60 --report json=/tmp/wire.json";
    const output = await inVm(lab, "host", `${WIRE_HOST} ${options} >&2; cat /tmp/wire.json`);
    const { cases } = parseReport(output.slice(output.indexOf("{")), "the report of wire host");
    const wire = cases.filter(({ id }) => id.startsWith("wire/"));
    assert.ok(wire.length >= 60, `${wire.length} cases`);
    const wrong = wire.filter(({ id, verdict }) =>
      verdict?.outcome !== (KNOWN.has(id) ? "warn" : "pass")
    );
    assert.deepEqual(wrong.map(({ id, verdict }) => [id, verdict]), []);
    for (const { id, verdict } of wire) {
      const drawn = (verdict?.reasons ?? []).filter((reason) => /: \| guest ──REQ/.test(reason));
      assert.equal(drawn.length > 0, KNOWN.has(id), `the exchange of ${id} is drawn`);
    }
  });

  await t.step("it says what it lacks where there is no vhost_vsock", async () => {
    const script = `rmmod vhost_vsock; ${WIRE_HOST} 2>&1; echo "exit $?"`;
    const output = await inVm(lab, "host", script);
    assert.match(
      output,
      /Cannot be a host: open\(\/dev\/vhost-vsock\): ENOENT.*modprobe vhost_vsock/,
    );
    assert.match(output, /^exit 2$/m);
  });
});
