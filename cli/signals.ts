/**
 * Interrupts commands by signals and timeouts.
 *
 * @module
 */
import { LabError } from "../lab/error.ts";
import { EXIT } from "../core/outcome.ts";

/** Calls `body` with a signal that is aborted by Ctrl-C or after the timeout. */
export function withTimeout(
  milliseconds: number,
  body: (stop: AbortSignal) => Promise<number>,
): Promise<number> {
  return interruptible(async (interrupted) => {
    const late = new AbortController();
    const seconds = milliseconds / 1000;
    const reason = new LabError(`--timeout: the command did not finish within ${seconds} s`);
    const timer = setTimeout(() => late.abort(reason), milliseconds);
    try {
      const code = await body(AbortSignal.any([interrupted, late.signal]));
      late.signal.throwIfAborted();
      return code;
    } finally {
      clearTimeout(timer);
    }
  });
}

/** Determined immediately, before Deno installs its own handler for SIGHUP. */
const OUTLIVES_TERMINAL = outlivesTerminal();

/** Whether this process was started with SIGHUP (1) ignored, as by nohup(1). */
function outlivesTerminal(): boolean {
  try {
    return /^SigIgn:\s*\w*[13579bdf]$/m.test(Deno.readTextFileSync("/proc/self/status"));
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}

/**
 * Calls `body`, which returns an exit code, with a signal that is aborted by Ctrl-C, SIGTERM or the
 * end of the terminal.
 *
 * @returns the exit code; after a signal, 128 plus its number, no matter how `body` ended.
 */
export async function interruptible(
  body: (stop: AbortSignal) => Promise<number>,
): Promise<number> {
  const stop = new AbortController();
  let interrupted: number | undefined;
  const ending = (code: number) => () => {
    interrupted ??= code;
    stop.abort(new Error("interrupted"));
  };
  const listeners = [
    ["SIGINT", ending(EXIT.interrupted)],
    ["SIGTERM", ending(EXIT.terminated)],
    ["SIGHUP", OUTLIVES_TERMINAL ? () => {} : ending(EXIT.hungUp)],
  ] as const;
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  try {
    const code = await body(stop.signal);
    return interrupted ?? code;
  } catch (error) {
    if (interrupted !== undefined) return interrupted;
    throw error;
  } finally {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
  }
}
