/**
 * The command lines of the repository's own tools.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";

/**
 * A tool's command line; where it is not used rightly, the process says so and ends with 2.
 *
 * @param name of its file in this folder, without ".ts".
 */
export function toolCommand(name: string, description: string): Command {
  return new Command(`tools/${name}.ts`)
    .description(description)
    .showHelpAfterError()
    .exitOverride(({ exitCode }) => Deno.exit(exitCode === 0 ? 0 : 2));
}
