/**
 * Command lines that shells complete, and shells that do.
 *
 * @module
 */
import assert from "node:assert/strict";

/** Runs a shell on a script; it must end well and say nothing on standard error. */
export async function shell(
  name: string,
  args: readonly string[],
  script: string,
): Promise<string> {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, script);
    const options = { args: [...args, file] };
    const { code, stdout, stderr } = await new Deno.Command(name, options).output();
    assert.equal(new TextDecoder().decode(stderr), "");
    assert.equal(code, 0);
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(file);
  }
}

/** Command lines in words, the last of which is being completed, and what must be offered, or not. */
export const LINES: readonly (readonly [line: string, offered: readonly string[], not?: string])[] =
  [
    ["r", ["run", "report"], "lab"],
    ["lab ", ["up", "down", "shell", "stream/connect/refused-without-socket"]],
    ["lab s", ["shell", "stream/connect/refused-without-socket"], "up"],
    ["lab --to", ["--topology"], "--timeout"],
    ["lab up --topology ", ["guest-host", "loopback", "three-cids", "three-devices"], "--name"],
    ["lab --kernel run --d", ["--direction"]],
    ["lab shell g", ["guest"], "host"],
    ["run --direction g", ["guest-server"], "both"],
    ["run --report j", ["json=", "junit="], "html="],
    ["run seqpacket/msg-t", ["seqpacket/msg-trunc/returns-real-length"]],
    ["list --needs ", ["seqpacket", "zerocopy"]],
    ["report ", ["html", "diff"], "run"],
    ["completions ", ["bash", "zsh", "fish"]],
  ];
