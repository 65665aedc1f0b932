/**
 * Runs programs on this machine and waits for their end.
 *
 * @module
 */
import { reasonOf } from "../../core/error.ts";
import { LabError } from "../error.ts";

/** Settings for {@linkcode output}. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * Runs a program and returns its standard output as text.
 *
 * @throws {LabError} with the end of its standard error, if it fails.
 */
export async function output(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  return new TextDecoder().decode(await outputBytes(program, args, options));
}

/** Like {@linkcode output}, but returns bytes. */
export async function outputBytes(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Uint8Array> {
  let result: Deno.CommandOutput;
  try {
    const command = new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      env: { LC_ALL: "C", ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    result = await command.output();
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new LabError(`Cannot run ${program}: ${reasonOf(error)}`, { cause: error });
  }
  options.signal?.throwIfAborted();
  if (!result.success) {
    const errors = new TextDecoder().decode(result.stderr).trim().split("\n").slice(-8).join(
      "\n  ",
    );
    throw new LabError(`${program} ${args[0] ?? ""} failed (${result.code}):\n  ${errors}`);
  }
  return result.stdout;
}

/** Quotes a text as one word for a shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
