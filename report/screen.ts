/**
 * Standard output and standard error, as what is written for people needs to know them.
 *
 * @module
 */
import { cleanLines } from "../core/clean.ts";
import { ExpectedError, reasonOf } from "../core/error.ts";
import { EXIT } from "../core/outcome.ts";

/** Where the text goes. */
export interface Screen {
  /** Writes text as it is. */
  write(text: string): void;
  /** Whether a line can be written over. */
  readonly live: boolean;
  /** Whether colours are welcome; they are not where nothing says so. */
  readonly colour?: boolean;
  /** How many characters a line has now, where that is known. */
  readonly columns?: () => number | undefined;
}

/** Standard output or standard error. */
export type StandardStream = typeof Deno.stdout | typeof Deno.stderr;

/** Standard output or standard error takes no more. */
export class OutputError extends ExpectedError {
  override readonly name = "OutputError";
  override readonly exitCode: number;
  /** Whether that is because whoever read it has gone away, as `head` does. */
  readonly unread: boolean;

  constructor(stream: StandardStream, cause: unknown) {
    const name = stream === Deno.stderr ? "standard error" : "standard output";
    const unread = cause instanceof Deno.errors.BrokenPipe;
    const why = `Cannot write to ${name}: ${reasonOf(cause)}`;
    super(unread ? `nothing reads ${name} any more` : why, { cause });
    this.unread = unread;
    this.exitCode = unread ? EXIT.unread : EXIT.broken;
  }
}

/**
 * Writes bytes to the end.
 *
 * @throws {OutputError} where that cannot be.
 */
export function writeTo(stream: StandardStream, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch (error) {
    throw new OutputError(stream, error);
  }
}

/** What a stream can show: where it goes, what $TERM calls that, and whether NO_COLOR is set. */
export function featuresOf(
  stream: { isTerminal: boolean; kind: string | undefined; noColour: boolean },
): Pick<Screen, "live" | "colour"> {
  // A dumb terminal would show the sequences as they are.
  const live = stream.isTerminal && stream.kind !== "dumb";
  return { live, colour: live && !stream.noColour };
}

/** What $TERM says, where this process may know. */
function kindOfTerminal(): string | undefined {
  try {
    return Deno.env.get("TERM");
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** How wide the terminal is now, where there is one. */
function columnsOf(): number | undefined {
  try {
    const { columns } = Deno.consoleSize();
    return columns === 0 ? undefined : columns;
  } catch {
    return undefined;
  }
}

/** Standard output or standard error as a screen; its `write` throws {@linkcode OutputError}. */
export function screenOf(stream: StandardStream): Screen {
  const encoder = new TextEncoder();
  return {
    ...featuresOf({
      isTerminal: stream.isTerminal(),
      kind: kindOfTerminal(),
      noColour: Deno.noColor,
    }),
    columns: columnsOf,
    write: (text) => writeTo(stream, encoder.encode(text)),
  };
}

/** Writes to standard error; that nobody reads it any more is no error. */
export function writeStderr(text: string): void {
  try {
    writeTo(Deno.stderr, new TextEncoder().encode(cleanLines(text)));
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
  }
}
