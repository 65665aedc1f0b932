/**
 * What the tests that boot VMs share: one lab for a file's tests, and scripts in it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Lab, startLab } from "../../lab/lab.ts";
import { Progress } from "../../lab/progress.ts";
import { runScript } from "../../lab/vm/shell.ts";
import type { Ends } from "../../runner/case.ts";
import { type Ended, runTool } from "../support/tool.ts";
import { screenOf } from "../../report/screen.ts";
import type { LabOptions } from "../../lab/types.ts";

/** How long one script in a VM may take, in milliseconds; the machine may be busy. */
const SCRIPT_TIME = 180_000;

/** The progress of a test's lab. */
export function testProgress(): Progress {
  return new Progress(screenOf(Deno.stderr));
}

/** Starts a lab for a test. */
export function testLab(options: LabOptions): Promise<Lab> {
  return startLab(options, testProgress());
}

/** Runs a script in the host (or the loopback VM) or the guest of a lab, and expects it to pass. */
export async function inVm(
  { address }: Pick<Lab, "address">,
  which: "host" | "guest",
  script: string,
  stop?: AbortSignal,
  limit: number = SCRIPT_TIME,
): Promise<string> {
  const { vms: [outer, guest] } = address;
  const socket = (which === "host" ? outer : guest ?? assert.fail("there is no guest")).shell;
  const late = AbortSignal.timeout(limit);
  const signal = stop === undefined ? late : AbortSignal.any([stop, late]);
  const { output, status } = await runScript(socket, script, signal);
  assert.equal(status, 0, `the script in the ${which} failed with ${status}:\n${output}`);
  return output;
}

/**
 * Waits, in a loopback VM, until the server of a case is blocked in accept() and the client waits to
 * be told that it listens, by what their agents write down.
 */
const BOTH_WAIT = `
until grep -q 'accept4(' /tmp/agent-5201 && grep -q "the peer's LISTENING" /tmp/agent-5202; do
  sleep 0.1
done
`;

/**
 * Does something in the midst of a case in a loopback VM: both sides are in it, and the client is
 * not told to go on before it is done, or the VM is gone.
 *
 * @param id of a case whose client connects first.
 * @param act does it, each time that the case is run.
 */
export function inTheMidst(
  lab: Pick<Lab, "address">,
  { guest: client }: Pick<Ends, "guest">,
  id: string,
  act: () => unknown,
): void {
  let held: number | undefined;
  const run = client.run.bind(client);
  const order = client.order.bind(client);
  client.run = (start, follower) => {
    if (start.id === id) held = start.run;
    return run(start, follower);
  };
  client.order = async (told) => {
    if (told.type === "line" && told.run === held) {
      held = undefined;
      await inVm(lab, "host", BOTH_WAIT);
      await act();
    }
    await order(told);
  };
}

/** How long a whole run may take, in milliseconds: the machine may be busy. */
const PATIENCE = 1_600_000;

/** Runs a lab to its verdicts, once: what the lab itself does again, its reports say. */
export function runLab(args: readonly string[], patience = PATIENCE): Promise<Ended> {
  return runTool(args, { patience });
}
