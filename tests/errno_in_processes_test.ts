import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";

const CHILD = fileURLToPath(new URL("./support/errno_child.ts", import.meta.url));
const PROCESSES = 40;
const AT_ONCE = 4;

/** Runs the child and gives what it printed. */
async function measure(): Promise<{ made: number; wrong: string[] }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", CHILD],
    stdin: "null",
  });
  const { success, stdout, stderr } = await child.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("no errno is another call's in 40 short processes, synchronous or blocking", async () => {
  let begun = 0;
  let made = 0;
  const wrong: string[] = [];
  const runOneAfterTheOther = async () => {
    while (begun++ < PROCESSES) {
      const result = await measure();
      made += result.made;
      wrong.push(...result.wrong);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runOneAfterTheOther));
  assert.deepEqual(wrong, []);
  assert.ok(made >= PROCESSES * 36_000, `${made} calls were made`);
});
