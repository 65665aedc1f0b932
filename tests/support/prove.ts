/**
 * prove(1), perl's harness for TAP: a judge that is none of ours.
 *
 * @module
 */

/** Whether perl's TAP harness can be called. */
export async function haveProve(): Promise<boolean> {
  try {
    return (await new Deno.Command("prove", { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}
