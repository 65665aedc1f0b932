/**
 * What a run of the broken peers found, as steps of a test.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Ground } from "../mutations/mutation.ts";
import { casesOn, type Finding, mutationsOn, nameOf } from "../mutations/run.ts";

/** Makes a step of each case that was to pass and of each mutation that was to be noticed. */
export async function judge(
  t: Deno.TestContext,
  ground: Ground,
  { output, error = "" }: { readonly output: string; readonly error?: string },
): Promise<void> {
  const lines = output.split("\n").filter((line) => line.startsWith("{"));
  const findings = new Map(lines.map((line) => {
    const finding: Finding = JSON.parse(line);
    return [finding.name, finding];
  }));
  const mutations = mutationsOn(ground);
  for (const name of [...casesOn(ground), ...mutations.map(nameOf)]) {
    const isCase = !name.includes(" ");
    await t.step(isCase ? `${name} passes over sockets that behave as they must` : name, () => {
      const finding = findings.get(name) ?? assert.fail(`it was not run:\n${output}\n${error}`);
      assert.equal(finding.problem, undefined);
    });
  }
}
