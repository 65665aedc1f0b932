/**
 * The command line's entry: reads the arguments, calls a command, sets the exit code.
 *
 * `run` and `agent` start this program again, as the agent: for these it has to be the main module,
 * as in `deno run -A cli.ts run ...`.
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
import { KernelDeathError, LabError, LabUsageError } from "./lab/error.ts";
import { isVsockTestCall, vsockTestCommand } from "./cli/upstream_program.ts";
import { BaselineError } from "./core/baseline.ts";
import { EXIT } from "./core/outcome.ts";
import { UnmatchedSelectorError } from "./core/selector.ts";
import { ListenError, PeerGoneError, SilentPeerError } from "./control/channel.ts";
import { ProtocolError } from "./control/wire.ts";
import { ReportError } from "./report/model.ts";
import { ForbiddenError } from "./sys/forbidden.ts";
import { UsageError } from "./core/error.ts";
import { mention, OutputError } from "./report/screen.ts";

/** Runs the tool with these arguments and gives its exit code (docs/outcomes.md). */
export async function main(args: string[]): Promise<number> {
  let code: number | Promise<number> = EXIT.ok;
  const act = (result: number | Promise<number>) => code = result;
  const command = isVsockTestCall(args) ? vsockTestCommand(act) : program(act);
  try {
    if (args.length === 0) command.help();
    await command.parseAsync(args, { from: "user" });
    return await code;
  } catch (error) {
    // Commander has already said what was wrong; --help and --version come here with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.broken;
    if (error instanceof OutputError && error.unread) return EXIT.unread;
    mention(`error: ${explain(error)}\n`);
    if (error instanceof KernelDeathError) return EXIT.failed;
    const isUsage = error instanceof LabUsageError;
    return error instanceof LabError && !isUsage ? EXIT.unavailable : EXIT.broken;
  }
}

function explain(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) {
    return `${error.message}\nThe tool calls libc and uses the network: run it with 'deno run -A'.`;
  }
  if (!(error instanceof Error)) return String(error);
  const expected = [
    KernelDeathError,
    LabError,
    UsageError,
    BaselineError,
    UnmatchedSelectorError,
    ListenError,
    PeerGoneError,
    SilentPeerError,
    ProtocolError,
    ReportError,
    OutputError,
    ForbiddenError,
  ];
  if (expected.some((kind) => error instanceof kind)) return error.message;
  // A defect of ours, or of the system: where it came from helps whoever has to mend it.
  return error.stack ?? error.message;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
