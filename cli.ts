/**
 * The entry point of the command line: parses arguments, calls a command, sets the exit code.
 *
 * `run` and `agent` start this program again as the agent's process, so it has to be the main
 * module, as in `deno run -A cli.ts run ...`.
 *
 * @example Call a command from a program
 * ```ts
 * import { main } from "@vsock/conformance/cli";
 *
 * Deno.exitCode = await main(["explain", "stream/close/by-client-keeps-data"]);
 * ```
 *
 * @module
 */
import { CommanderError } from "commander";
import { program } from "./cli/program.ts";
import { isVsockTestCall, vsockTestCommand } from "./cli/upstream_program.ts";
import { ExpectedError } from "./core/error.ts";
import { EXIT } from "./core/outcome.ts";
import { ForbiddenError } from "./sys/forbidden.ts";
import { OutputError, writeStderr } from "./report/screen.ts";

/** Runs the tool with these arguments and returns its exit code (docs/outcomes.md). */
export async function main(args: string[]): Promise<number> {
  let code: number | Promise<number> = EXIT.ok;
  const act = (result: number | Promise<number>) => code = result;
  const command = isVsockTestCall(args) ? vsockTestCommand(act) : program(act);
  try {
    if (args.length === 0) command.help();
    await command.parseAsync(args, { from: "user" });
    return await code;
  } catch (error) {
    // Commander has already written the error; for --help and --version the code is 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.broken;
    const isUnread = error instanceof OutputError && error.unread;
    if (!isUnread) writeStderr(`error: ${explain(error)}\n`);
    return error instanceof ExpectedError ? error.exitCode : EXIT.broken;
  }
}

function explain(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) {
    return `${error.message}\nThe tool calls libc and uses the network: run it with 'deno run -A'.`;
  }
  if (!(error instanceof Error)) return String(error);
  // ForbiddenError is from sys/, which imports nothing and so cannot extend ExpectedError.
  if (error instanceof ExpectedError || error instanceof ForbiddenError) return error.message;
  // A defect of the tool or the system: the stack helps to fix it.
  return error.stack ?? error.message;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
