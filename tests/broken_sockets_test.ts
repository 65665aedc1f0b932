import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import type { Role } from "../core/case.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import { FORBID_VSOCK } from "../sys/forbidden.ts";
import { brokenPeersAreFresh } from "../tools/broken_peers.ts";
import type { Row, ShownElsewhere } from "./mutations/mutation.ts";
import { nameOf } from "./mutations/run.ts";
import { MUTATIONS, SHOWN_ELSEWHERE } from "./mutations/table.ts";
import { judge } from "./support/findings.ts";

/** How long all the cases may take, in milliseconds: the machine may be busy. */
const PATIENCE = 300_000;

Deno.test("every case notices broken sockets over AF_UNIX, and passes over whole ones", async (t) => {
  const program = fileURLToPath(new URL("mutations/run.ts", import.meta.url));
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", program, "unix"],
    env: { [FORBID_VSOCK]: "1", NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(PATIENCE),
  });
  const { stdout, stderr } = await command.output();
  const [output, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  await judge(t, "unix", { output: output ?? "", error: error ?? "" });
});

Deno.test("every case has a mutation that it notices", () => {
  const noticed = new Set([...MUTATIONS, ...SHOWN_ELSEWHERE].map(({ id }) => id));
  const ids = CATALOGUE.map(({ id }) => id);
  assert.deepEqual(ids.filter((id) => !noticed.has(id)), []);
  assert.deepEqual([...noticed].filter((id) => !ids.includes(id)), []);
});

Deno.test("every mutation is of one side of one case", () => {
  const roles: readonly Role[] = ["client", "server"];
  assert.ok(MUTATIONS.every(({ on }) => roles.includes(on)));
  const names = [...MUTATIONS, ...SHOWN_ELSEWHERE].map(nameOf);
  assert.equal(new Set(names).size, names.length);
});

Deno.test("every family's mutations are in the file of its name", async () => {
  for await (const { name, isDirectory } of Deno.readDir(new URL("../suites/", import.meta.url))) {
    if (!isDirectory || name.startsWith("_")) continue;
    const { mutations = [], shownElsewhere = [] } = await import(`./mutations/${name}.ts`);
    const ids = [
      ...mutations.map(([id]: Row) => id),
      ...shownElsewhere.map(({ id }: ShownElsewhere) => id),
    ];
    assert.ok(ids.length > 0, name);
    assert.deepEqual(ids.filter((id) => !id.startsWith(`${name}/`)), []);
    const all = [...MUTATIONS, ...SHOWN_ELSEWHERE].filter(({ id }) => id.startsWith(`${name}/`));
    assert.equal(ids.length, all.length, `tests/mutations/table.ts has all of ${name}.ts`);
  }
});

Deno.test("what is shown elsewhere is shown by a test that is there", async () => {
  for (const { id, file, test } of SHOWN_ELSEWHERE) {
    const text = await Deno.readTextFile(new URL(`../${file}`, import.meta.url));
    assert.ok(text.includes(test), `${id}: ${file} has no "${test}"`);
  }
});

Deno.test("docs/broken_peers.md has the table of today", async () => {
  assert.ok(await brokenPeersAreFresh(), "run 'deno run -A tools/broken_peers.ts'");
});
