/**
 * Opposite the kernel's own C vsock_test, on loopback, in either role.
 *
 * @module
 */
import assert from "node:assert/strict";
import { C_FOLDER, cPrograms } from "../../lab/csuite.ts";
import { DEFAULT_KERNEL } from "../../lab/kernel.ts";
import { upstreamList } from "../../suites/upstream.ts";
import { inVm, testLab, testProgress } from "./support.ts";

/** The stand-in and the C program, each as a command that lacks its role. */
const OURS = "deno run -A /app/vsock-conformance.js";
const C = `/${C_FOLDER}/vsock_test`;
const CONTROL = "--control-host=127.0.0.1 --control-port=7000 --peer-cid=1";

/** Runs a server, then a client, and gives what each wrote. */
function script(server: string, client: string, picks: string): string {
  return `
cd /tmp
${server} --mode=server ${CONTROL} ${picks} >server.log 2>&1 &
pid=$!
until grep -q "listening on" server.log; do kill -0 $pid || break; usleep 50000; done
${client} --mode=client ${CONTROL} ${picks} >client.log 2>&1
client=$?
wait $pid
server=$?
echo "client $client"; cat client.log
echo "server $server"; cat server.log
[ $client = 0 ] && [ $server = 0 ]`;
}

Deno.test("vsock_test stand-in agrees with the C program in both roles", async (t) => {
  const files = await cPrograms(testProgress());
  const options = { topology: "loopback", kernel: { kernel: DEFAULT_KERNEL }, files } as const;
  await using lab = await testLab(options);
  const ported = upstreamList().filter((entry) => entry.case !== undefined);
  const picks = ported.map(({ position }) => `--pick=${position}`).join(" ");
  for (const [server, client, name] of [[C, OURS, "C server"], [OURS, C, "C client"]] as const) {
    await t.step(name, async () => {
      const output = await inVm(lab, "host", script(server, client, picks));
      for (const entry of ported) {
        const lines = output.split("\n").filter((line) =>
          line.startsWith(`${entry.position} - ${entry.name}...`)
        );
        const expected = `${entry.position} - ${entry.name}...ok`;
        assert.deepEqual(lines, [expected, expected], output);
      }
    });
  }
});
