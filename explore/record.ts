/**
 * All that was played, as a file, and where two such files begin to differ: whatever the model says.
 *
 * @module
 */
import { integer, isRecord, MAX_NAME, MAX_WORD, parseObject } from "../control/fields.ts";
import { ProtocolError, text } from "../control/fields.ts";
import { decodePlayed, decodeProgram, type Played } from "../control/puppet_wire.ts";
import { UsageError } from "../core/error.ts";
import { answerText, type CallAnswer, type SocketCall } from "../core/socket_call.ts";
import { playedText, programText } from "./calls_text.ts";

/** What the field `format` of these files says, with its version. */
const FORMAT = "vsock-conformance-calls/1";

/** A program and its answers. */
export interface PlayedProgram {
  readonly seed: number;
  readonly calls: readonly SocketCall[];
  readonly played: Played;
}

/** All programs of an exploration, in order. */
export interface Recording {
  readonly kernel: string;
  readonly topology: string;
  /** The AF_VSOCK port that the program's port 0 was. */
  readonly port: number;
  readonly programs: readonly PlayedProgram[];
}

/** As JSON, a line for each program. */
export function recordingJson({ programs, ...where }: Recording): string {
  const head = JSON.stringify({ format: FORMAT, ...where }).slice(0, -1);
  return `${head},"programs":[\n${
    programs.map((program) => JSON.stringify(program)).join(",\n")
  }\n]}\n`;
}

/**
 * Reads such a file's text.
 *
 * @param path as errors call it.
 * @throws {UsageError} where it is something else.
 */
export function parseRecording(json: string, path: string): Recording {
  try {
    const value = parseObject(json, json);
    const { format, programs } = value;
    if (format !== FORMAT || !Array.isArray(programs)) throw new ProtocolError("another form");
    return {
      kernel: text(value, "kernel", MAX_NAME),
      topology: text(value, "topology", MAX_NAME),
      port: integer(value, "port", MAX_WORD),
      programs: programs.map(playedProgram),
    };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new UsageError(`${path} is no file that explore --record wrote: ${error.message}`);
  }
}

function playedProgram(value: unknown): PlayedProgram {
  if (!isRecord(value)) throw new ProtocolError("a program that is none");
  const { calls } = decodeProgram(JSON.stringify(value));
  const played = decodePlayed(JSON.stringify(value.played), calls.length);
  return { seed: integer(value, "seed", MAX_WORD), calls, played };
}

/**
 * Where two recordings begin to differ, as people read it; undefined where they do not, as far as
 * both go.
 *
 * Ports that a kernel chose, and CIDs, are not compared.
 */
export function firstDifference(a: Recording, b: Recording): string | undefined {
  for (const [i, one] of a.programs.entries()) {
    const other = b.programs[i];
    if (other === undefined) return undefined;
    const head = `program ${i + 1} (seed ${one.seed})`;
    if (JSON.stringify(one.calls) !== JSON.stringify(other.calls)) {
      return `${head} has other calls, and all answers before it are the same: what is drawn ` +
        `depends on --seed and on the machines\nfirst: ${programText(one.calls.slice(0, 3))}` +
        `second: ${programText(other.calls.slice(0, 3))}`;
    }
    const at = one.calls.findIndex((_, at) =>
      comparable(one.played, at, a) !== comparable(other.played, at, b)
    );
    if (at < 0) continue;
    const before = playedText(one.calls.slice(0, at + 1), one.played.answers.slice(0, at));
    const [first, second] = [shown(one.played, at), shown(other.played, at)];
    return `${head} differs at call ${at + 1}:\n${before}` +
      `     ${nameOf(a)}: ${first}\n     ${nameOf(b)}: ${second}\n`;
  }
  return undefined;
}

function nameOf({ kernel, topology }: Recording): string {
  return `Linux ${kernel}, ${topology}`;
}

/** An answer without what is another in every run. */
function comparable({ answers, stalled }: Played, at: number, { port: base }: Recording): string {
  const answer = answers[at];
  if (answer === undefined) return `nothing, ${stalled}`;
  const { result, errno, flags, digest, port } = answer;
  const place = port === undefined ? undefined : placeOf(port - base);
  return JSON.stringify({ result, errno, flags, digest, place });
}

/** A port of the program's, or one that the kernel chose. */
function placeOf(port: number): number | string {
  return port >= 0 && port < 16 ? port : "chosen";
}

function shown({ answers, stalled }: Played, at: number): string {
  const answer: CallAnswer | undefined = answers[at];
  return answer === undefined ? `nothing: ${stalled} before` : answerText(answer);
}
