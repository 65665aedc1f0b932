import assert from "node:assert/strict";
import { ownArch } from "../arch.ts";
import { elfFacts, librariesIn } from "./elf.ts";
import { LabError } from "../error.ts";

Deno.test("elfFacts() reads what a program of this machine needs", async () => {
  const { elfMachine, loader } = ownArch();
  const facts = elfFacts(await Deno.readFile(Deno.execPath()));
  assert.equal(facts?.machine, elfMachine);
  assert.equal(facts.interpreter, `/${loader}`);
  assert.ok(facts.needed.includes("libc.so.6"), facts.needed.join());
  assert.ok(facts.isRelocatable);
});

Deno.test("elfFacts() takes what is no ELF file for none", async () => {
  assert.equal(elfFacts(new TextEncoder().encode("#!/bin/sh\n".padEnd(100))), undefined);
  assert.equal(elfFacts(new Uint8Array(10)), undefined);
  assert.equal(elfFacts((await Deno.readFile(Deno.execPath())).subarray(0, 63)), undefined);
});

Deno.test("librariesIn() names the library that a folder lacks, and who needs it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await assert.rejects(librariesIn(folder, [Deno.execPath()]), (error: unknown) => {
      assert.ok(error instanceof LabError);
      assert.match(error.message, /deno needs \S+\.so\S*, which is not in /);
      return true;
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
