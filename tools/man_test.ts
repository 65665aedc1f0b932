import assert from "node:assert/strict";
import { program } from "../cli/program.ts";
import { manIsFresh, manPage } from "./man.ts";

Deno.test("man/vsock-conformance.1 is up to date: run 'deno run -A tools/man.ts'", async () => {
  assert.ok(await manIsFresh());
});

Deno.test("the manual page has every command, and no line that roff would take for a request", () => {
  const page = manPage();
  for (const command of program(() => {}).commands) {
    if (command.name() === "help") continue;
    assert.ok(page.includes(`\n.SS ${command.name().replaceAll("-", "\\-")}`), command.name());
  }
  const requests = new Set(
    page.split("\n").filter((line) => /^[.']/.test(line)).map((line) => line.split(" ")[0]),
  );
  const known = ['.\\"', ".TH", ".SH", ".SS", ".TP", ".B", ".BR", ".I"];
  assert.deepEqual([...requests].filter((name) => !known.includes(name ?? "")), []);
});
