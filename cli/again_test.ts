import assert from "node:assert/strict";
import type { Command } from "commander";
import { againArguments, withoutSecrets } from "./again.ts";
import { program } from "./program.ts";

/** The command that a path leads to. */
function commandAt(...path: string[]): Command {
  let at = program(() => {});
  for (const name of path) {
    at = at.commands.find((below) => below.name() === name) ?? assert.fail(name);
  }
  return at;
}

Deno.test("againArguments() keeps what machines there are, and nothing of the one run", () => {
  const run = ["run", "stream/close", "--peer-cid", "3", "--agent=host:1", "--seed", "5"];
  const more = ["--report", "json=x", "-q", "--jobs=2", "--strict", "--case-timeout", "9", "a/b"];
  assert.deepEqual(
    againArguments(commandAt("run"), [...run, ...more]),
    ["run", "--peer-cid", "3", "--agent=host:1", "--strict", "--case-timeout", "9"],
  );
  const lab = ["lab", "run", "--name", "two", "--repeat", "3", "--until-failure", "--ktap", "x"];
  assert.deepEqual(againArguments(commandAt("lab", "run"), lab), ["lab", "run", "--name", "two"]);
  const once = ["lab", "--direction", "host-server", "--fail-fast", "--shuffle", "--kernel", "k"];
  assert.deepEqual(
    againArguments(commandAt("lab"), [
      ...once,
      "--exclude",
      "a",
      "--rerun-failed",
      "x",
      "--",
      "-q",
    ]),
    ["lab", "--kernel", "k"],
  );
});

Deno.test("againArguments() takes a value for none, whatever it looks like", () => {
  const args = ["lab", "--kernel", "--seed", "--qemu", "-q", "--cold"];
  assert.deepEqual(againArguments(commandAt("lab"), args), args);
});

Deno.test("withoutSecrets() hides what lets others in", () => {
  assert.deepEqual(withoutSecrets(["run", "--token", "abc", "--token=abc", "x"]), [
    ...["run", "--token", "...", "--token=...", "x"],
  ]);
});
