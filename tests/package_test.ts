import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { FORBID_VSOCK } from "../sys/forbidden.ts";
import { examplesOf, packageEntries, runDeno } from "../tools/package.ts";
import { exampleReport } from "./support/example_run.ts";
import { startAgent } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
Deno.env.set(FORBID_VSOCK, "1");

/** What an entry's example is given, and what it writes. */
const EXPECTED: Readonly<Record<string, { code: number; stdout: RegExp }>> = {
  "@vsock/conformance": { code: 0, stdout: /^(pass stream\/shutdown\/\S+\n){2}$/ },
  "@vsock/conformance/cli": { code: 0, stdout: /^stream\/close\/by-client-keeps-data\n/ },
  "@vsock/conformance/kit": { code: 0, stdout: /^$/ },
  "@vsock/conformance/report": { code: 1, stdout: /\nregressed: stream\/connect\/refused\n$/ },
  "@vsock/conformance/sys": { code: 0, stdout: /^ECONNREFUSED\nhello\n$/ },
};

/** Two reports, the later of which is worse, in files of a folder. */
async function writeReports(folder: string): Promise<void> {
  const report = exampleReport();
  const worse = report.cases.map((entry) =>
    entry.id === "stream/connect/refused" && entry.direction === "host-server"
      ? { ...entry, verdict: { outcome: "fail", reasons: ["no"], milliseconds: 1 } }
      : entry
  );
  await Deno.writeTextFile(`${folder}/earlier.json`, JSON.stringify(report));
  await Deno.writeTextFile(`${folder}/later.json`, JSON.stringify({ ...report, cases: worse }));
}

Deno.test("every entry of the package has an example, which runs and type checks", async (t) => {
  const entries = await packageEntries();
  assert.deepEqual(entries.map(({ name }) => name).sort(), Object.keys(EXPECTED).sort());
  const folder = await Deno.makeTempDir({ prefix: "vsock-examples-" });
  try {
    await writeReports(folder);
    for (const { name, path } of entries) {
      await t.step(name, async () => {
        const [code, ...others] = examplesOf(await Deno.readTextFile(`${ROOT}${path}`));
        assert.ok(code !== undefined && others.length === 0, `${path} has one example`);
        const program = `${folder}/example.ts`;
        await Deno.writeTextFile(program, code);
        const run = ["run", "-A", "--check", "--quiet", "--config", `${ROOT}deno.json`, program];
        const ended = await runDeno(run, folder);
        assert.equal(ended.code, EXPECTED[name]?.code, ended.stderr);
        assert.match(ended.stdout, EXPECTED[name]?.stdout ?? /^$/);
        assert.equal(ended.stderr, "");
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("docs/examples/two_agents.ts runs cases between agents, and writes a report", async () => {
  const standIn = ["--stand-in", freshName(), "--once"];
  const [host, guest] = [await startAgent(...standIn), await startAgent(...standIn)];
  await using _host = host.tool;
  await using _guest = guest.tool;
  const folder = await Deno.makeTempDir({ prefix: "vsock-examples-" });
  try {
    const [baseline, report] = [`${folder}/baseline.txt`, `${folder}/report.html`];
    await Deno.writeTextFile(baseline, "stream/shutdown/**  # it is a try\n");
    const program = `${ROOT}docs/examples/two_agents.ts`;
    const args = [host.address, guest.address, baseline, report];
    const ended = await runDeno(["run", "-A", "--no-check", program, ...args], folder);
    // Passes that the baseline does not expect.
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stdout, /^(stream\/shutdown\/\S+ it passed, but .*\n){4}$/);
    assert.match(await Deno.readTextFile(report), /unexpected-pass/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("docs/architecture.md has every dependency in its table, and no other", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const text = await Deno.readTextFile(`${ROOT}docs/architecture.md`);
  const rows = text.split("\n").filter((line) => line.startsWith("| `"));
  const named = rows.flatMap((row) => row.split("|")[1]?.match(/(?<=`)[^`, ]+(?=`)/g) ?? []);
  const libraries = Object.keys(imports).map((name) => name.replace(/\/$/, ""));
  // The row of commander is that of its typings, too.
  const wanted = libraries.filter((name) => name !== "@commander-js/extra-typings");
  assert.deepEqual(named.sort(), wanted.sort());
});

Deno.test("docs/architecture.md names every module of Node's that is used, and no other", async () => {
  const text = await Deno.readTextFile(`${ROOT}docs/architecture.md`);
  const used: string[] = [];
  for await (const path of sourcesBelow(ROOT)) {
    const source = await Deno.readTextFile(path);
    used.push(...source.matchAll(/from "(node:[a-z_/]+)"/g).map(([, name = ""]) => name));
  }
  const named = text.match(/(?<=`)node:[a-z_/]+(?=`)/g) ?? [];
  assert.deepEqual([...new Set(named)].sort(), [...new Set(used)].sort());
});

/** The TypeScript files below a folder. */
async function* sourcesBelow(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (name === "node_modules" || name === "dist" || name.startsWith(".")) continue;
    if (isDirectory) yield* sourcesBelow(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield `${folder}${name}`;
  }
}

/** The words in the files of which a name of the package's main entry has to be one. */
async function readersWords(): Promise<Set<string>> {
  const readers = ["tests/package_test.ts", "docs/examples/two_agents.ts"];
  const texts = readers.map((path) => Deno.readTextFile(`${ROOT}${path}`));
  const [example = ""] = examplesOf(await Deno.readTextFile(`${ROOT}mod.ts`));
  return new Set([example, ...await Promise.all(texts)].join("\n").match(/\w+/g));
}

Deno.test("the package's main entry has few names, each of which an example uses", async () => {
  const text = (await Deno.readTextFile(`${ROOT}mod.ts`)).replace(/^\/\*\*[^]*?\*\//, "");
  const lists = [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)];
  const names = lists.flatMap(([, list = ""]) => list.replaceAll("type ", "").match(/\w+/g) ?? []);
  assert.ok(names.length > 0 && names.length <= 25, `${names.length} names`);
  const words = await readersWords();
  assert.deepEqual(names.filter((name) => !words.has(name)), []);
});
