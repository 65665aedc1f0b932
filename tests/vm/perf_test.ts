/**
 * `perf` on real AF_VSOCK, opposite the kernel's vsock_perf in either role, and opposite itself.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ownArch } from "../../lab/arch.ts";
import { perfPrograms } from "../../lab/c_programs/perf.ts";
import { C_FOLDER, cPrograms } from "../../lab/c_programs/kernel_tests.ts";
import type { Lab } from "../../lab/lab.ts";
import { isListening, type Pair, runPair, type ScriptRunner } from "../../lab/script_pair.ts";
import { runScript, type ScriptResult } from "../../lab/vm/shell.ts";
import { testLab, testProgress } from "./support.ts";

const OURS = "deno run -A /app/vsock-conformance.js perf";
const C = `/${C_FOLDER}/vsock_perf`;
const PINGPONG = `/${C_FOLDER}/pingpong`;
/** Bytes that are sent: no multiple of any buffer. */
const BYTES = 5_000_001;
const MUCH = `--bytes ${BYTES}`;

/** How long two programs may take, in milliseconds; the machine may be busy. */
const PATIENCE = 120_000;

/** Runs two programs on the loopback VM, and expects both to end well. */
async function between({ address }: Lab, server: string, client: string) {
  const stop = AbortSignal.timeout(PATIENCE);
  const shell: ScriptRunner = (script) => runScript(address.vms[0].shell, script, stop);
  const settings = { folder: "/tmp", isListening: isListening(ownArch()) };
  const ended: Pair<ScriptResult> = await runPair(
    { server: shell, client: shell },
    { server, client },
    settings,
  );
  for (const [role, { status, output }] of Object.entries(ended)) {
    assert.equal(status, 0, `${role}: ${output}`);
  }
  return { server: ended.server.output, client: ended.client.output };
}

/** A figure of a program's output. */
function figure(output: string, name: string): number {
  const text = new RegExp(`${name}: (\\d+(\\.\\d+)?)`).exec(output)?.[1];
  return Number(text ?? assert.fail(`no ${name} in:\n${output}`));
}

Deno.test("perf measures on AF_VSOCK, and is what vsock_perf takes it for", async (t) => {
  const { files } = await cPrograms(ownArch(), testProgress());
  const data = await Deno.readFile(`${await perfPrograms(ownArch(), testProgress())}/pingpong`);
  const own = { path: `${C_FOLDER}/pingpong`, data, executable: true };
  const kernel = { kernel: "debian:latest" };
  await using lab = await testLab({ topology: "loopback", kernel, files: [...files, own] });

  await t.step("ours sends to vsock_perf, and it to ours", async () => {
    for (const [receiver, sender] of [[C, `${OURS} sender`], [`${OURS} receiver`, C]]) {
      const { server, client } = await between(lab, `${receiver}`, `${sender} --sender 1 ${MUCH}`);
      assert.equal(figure(client, "total bytes sent"), BYTES);
      assert.equal(figure(server, "total bytes received"), BYTES);
      assert.ok(figure(server, "rx performance") > 0);
    }
  });

  await t.step("ours and ours send messages, and with MSG_ZEROCOPY, and both ways", async () => {
    for (
      const [both, only] of [
        ["--type seqpacket --buf-size 32K", ""],
        ["", "--zerocopy --buf-size 256K"],
        ["--direction both --buf-size 64K", ""],
      ]
    ) {
      const { server, client } = await between(
        lab,
        `${OURS} receiver ${both} ${MUCH}`,
        `${OURS} sender --sender 1 ${both} ${only} ${MUCH}`,
      );
      assert.equal(figure(server, "total bytes received"), BYTES, client);
      if (only !== "") {
        assert.ok(figure(client, "completions") >= BYTES / (256 * 1024), client);
      }
      if (both?.includes("direction")) {
        assert.equal(figure(client, "total bytes received"), BYTES, server);
      }
    }
  });

  await t.step("round trips and connections, ours and C on either side", async () => {
    const counts = "--requests 300 --warmup 20";
    const latency = `${OURS} latency --peer-cid 1 ${counts}`;
    const { client } = await between(lab, `${PINGPONG} echo 1 1234`, latency);
    assert.match(client, /round trip: p50 \d.*\n300 in /);
    const other = await between(
      lab,
      `${OURS} echo --once`,
      `${PINGPONG} latency 1 1234 64 300 20`,
    );
    assert.match(other.client, /^p50 \d+ ns/);
    // The server goes on after each connection, until its time is over.
    const { status, output } = await runScript(
      lab.address.vms[0].shell,
      `${OURS} echo >/tmp/echo.log 2>&1 & echo=$!
until grep -q Listen /tmp/echo.log; do sleep 0.1; done
${OURS} connect --peer-cid 1 ${counts}; status=$?
kill $echo
exit $status`,
      AbortSignal.timeout(PATIENCE),
    );
    assert.equal(status, 0, output);
    assert.match(output, /connect: p50 \d[^]*cycle: p50 \d[^]*\n300 in /);
  });
});
