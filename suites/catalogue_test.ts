import assert from "node:assert/strict";
import { levelOf, upstreamName, validateCase } from "../core/case.ts";
import { CATALOGUE, findCase } from "./catalogue.ts";
import { upstreamList } from "./upstream.ts";
import { PROGRAMS } from "./upstream_programs.ts";

/** The files of cases: those in the folders of families, without what cases share. */
async function caseFiles(): Promise<URL[]> {
  const files: URL[] = [];
  const root = new URL("./", import.meta.url);
  for await (const family of Deno.readDir(root)) {
    if (!family.isDirectory || family.name.startsWith("_")) continue;
    const folder = new URL(`${family.name}/`, root);
    for await (const { name } of Deno.readDir(folder)) {
      if (/^[a-z].*(?<!_test)\.ts$/.test(name)) files.push(new URL(name, folder));
    }
  }
  return files;
}

Deno.test("the catalogue has every file of cases, and no other", async () => {
  const found = new Set<unknown>();
  for (const file of await caseFiles()) {
    const { cases } = await import(file.href);
    assert.ok(cases?.length > 0, `${file.pathname} exports no cases`);
    for (const definition of cases) found.add(definition);
  }
  assert.deepEqual(found, new Set(CATALOGUE));
});

Deno.test("every case is of the right form, and its id names its family's folder", async () => {
  const folders = new Set((await caseFiles()).map(({ pathname }) => pathname.split("/").at(-2)));
  for (const definition of CATALOGUE) {
    validateCase(definition);
    assert.ok(levelOf(definition) !== undefined, definition.id);
    assert.ok(folders.has(definition.id.split("/")[0]), definition.id);
    assert.equal(definition.title.includes("\n"), false);
    const isSeqpacket = definition.id.startsWith("seqpacket/");
    assert.ok(!isSeqpacket || definition.needs?.includes("seqpacket"), definition.id);
  }
});

Deno.test("every case names a function of the kernel, which tools/exercised.ts can count", () => {
  const without = CATALOGUE.filter(({ refs }) => !refs.some(({ kind }) => kind === "kernel"));
  // On the host's side of a hybrid socket no kernel's AF_VSOCK has a part.
  const others = without.filter(({ needs }) => !JSON.stringify(needs ?? []).includes("hybrid"));
  assert.deepEqual(others.map(({ id }) => id), []);
});

Deno.test("no two cases do the same on both sides", () => {
  const byDeeds = Map.groupBy(CATALOGUE, ({ does }) => JSON.stringify([does.client, does.server]));
  const same = [...byDeeds.values()].filter(({ length }) => length > 1);
  assert.deepEqual(same.map((cases) => cases.map(({ id }) => id)), []);
});

Deno.test("what a side does names the type of its socket where there is a case for either", () => {
  const types = ["stream", "seqpacket"] as const;
  for (const { id, does } of CATALOGUE) {
    const type = types.find((type) => new RegExp(`^.+/${type}-`).test(id));
    const other = types.find((other) => other !== type);
    if (type === undefined || other === undefined) continue;
    const twin = findCase(id.replace(`/${type}-`, `/${other}-`));
    if (twin === undefined) continue;
    assert.match(does.client ?? "", new RegExp(`\\b${type}\\b`), id);
    assert.doesNotMatch(does.client ?? "", new RegExp(`\\b${other}\\b`), id);
  }
});

Deno.test("ids are unique, and findCase() finds each", () => {
  assert.equal(new Set(CATALOGUE.map(({ id }) => id)).size, CATALOGUE.length);
  for (const definition of CATALOGUE) assert.equal(findCase(definition.id), definition);
  assert.equal(findCase("stream/no/such"), undefined);
});

Deno.test("every upstream case that a case names is in upstream's list, and named once", () => {
  const list = PROGRAMS.flatMap((program) => upstreamList(program));
  const names = CATALOGUE.map(upstreamName).filter((name) => name !== undefined);
  assert.equal(new Set(names).size, names.length, "no upstream case was ported twice");
  for (const definition of CATALOGUE) {
    const references = definition.refs.filter(({ kind }) => kind === "upstream");
    assert.ok(references.length <= 1, definition.id);
    const name = upstreamName(definition);
    if (name === undefined) continue;
    const entry = list.find((entry) => entry.name === name);
    assert.equal(entry?.case, definition, `${definition.id}: upstream has no "${name}"`);
  }
});

Deno.test("upstreamList() has a case of ours for every name of every program", () => {
  const lists = PROGRAMS.map((program) => upstreamList(program));
  assert.deepEqual(lists.map(({ length }) => length), [41, 3, 2]);
  assert.ok(lists.flat().every((entry) => entry.case !== undefined));
  assert.equal(upstreamList("vsock_uring_test", "6.1").length, 0);
});

Deno.test("upstreamList() has upstream's 41 names at their positions", () => {
  const list = upstreamList();
  assert.equal(list.length, 41);
  assert.deepEqual(list.map(({ position }) => position), list.map((_, i) => i));
  assert.equal(new Set(list.map(({ name }) => name)).size, 41);
  assert.equal(list[0]?.name, "SOCK_STREAM connection reset");
  assert.equal(list[15]?.name, "SOCK_SEQPACKET MSG_PEEK");
});
