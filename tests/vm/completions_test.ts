/**
 * Completions before the shells that are not everywhere. No VM is booted, but the shells are
 * downloaded.
 *
 * @module
 */
import assert from "node:assert/strict";
import { completionsText } from "../../cli/completions/words.ts";
import { program } from "../../cli/program.ts";
import { programs } from "../../lab/host/toolset.ts";
import { LINES, shell } from "../support/completion_lines.ts";
import { testProgress } from "./support.ts";

const root = program(() => {});

/** The folder in which the shells are. */
async function shells(): Promise<string> {
  return `${(await programs("shells", ["zsh", "fish"], testProgress())).root}/usr/bin`;
}

Deno.test("completions for zsh are what zsh takes", async () => {
  await shell(`${await shells()}/zsh`, ["-n"], completionsText("zsh", root));
});

Deno.test("completions for fish are what fish takes, and offers what can follow", async () => {
  const fish = `${await shells()}/fish`;
  const text = completionsText("fish", root);
  await shell(fish, ["--no-execute"], text);
  for (const [line, offered, not] of LINES) {
    const call = `complete -C 'vsock-conformance ${line}'`;
    const said = await shell(fish, ["--no-config"], `${text}\n${call}`);
    // It also lists what has the letters in it, and shows that only where nothing begins so.
    const begun = line.split(" ").at(-1) ?? "";
    const offers = said.split("\n").map((offer) => offer.split("\t")[0] ?? "")
      .filter((offer) => offer.startsWith(begun));
    for (const word of offered) assert.ok(offers.includes(word), `${line}: ${word} in ${offers}`);
    assert.ok(not === undefined || !offers.includes(not), `${line}: no ${not} in ${offers}`);
    // Files are offered where a report is to be written, and nowhere else in these lines.
    const isFile = line.includes("--report");
    assert.ok(isFile || !offers.includes("deno.json"), `${line}: no file in ${offers}`);
  }
});
