/**
 * A finding as a file, which can be played again: JSON with its calls, and where it was found.
 *
 * @module
 */
import { ProtocolError } from "../control/fields.ts";
import { integer, MAX_NAME, MAX_WORD, parseObject, text } from "../control/fields.ts";
import { decodeProgram, type Program } from "../control/puppet_wire.ts";
import { UsageError } from "../core/error.ts";
import { answerText, programTexts, type SocketCall } from "../core/socket_call.ts";
import { isRuleId, type RuleId } from "../model/rules.ts";
import type { Finding } from "./explore.ts";
import { parseStory } from "./parse_story.ts";

/** The form of these files; another is refused. */
const VERSION = 1;

/** A finding as it is kept. */
export interface KeptFinding {
  /** The `uname -r` of the kernel on which it was found. */
  readonly kernel: string;
  readonly topology: string;
  readonly seed: number;
  readonly program: Program;
  /** The rules that an answer broke, as far as known. */
  readonly rules: readonly RuleId[];
  /** Whether it was found where no known deviation is tolerated. */
  readonly strict: boolean;
}

/** Where something was found. */
interface Where {
  readonly kernel: string;
  readonly topology: string;
  /** Whether no known deviation was tolerated there. */
  readonly strict?: boolean | undefined;
}

/** A finding as JSON. For people it has the answers, too. */
export function findingJson(finding: Finding, where: Where): string {
  const { seed, calls, played, breach: { rules, allowed } } = finding;
  const story = programTexts(calls).map((text, i) => {
    const answer = played.answers[i];
    return `${text}${answer === undefined ? "" : ` = ${answerText(answer)}`}`;
  });
  return programJson({ ...where, seed, calls, story, rules, allowed });
}

/** A program as JSON, and whatever else is known of it. */
export function programJson(
  kept: Where & {
    readonly seed: number;
    readonly calls: readonly SocketCall[];
    /** The calls and their answers, for people. */
    readonly story?: readonly string[];
    readonly rules?: readonly string[];
    readonly allowed?: readonly string[];
  },
): string {
  const { calls, ...known } = kept;
  return `${JSON.stringify({ version: VERSION, ...known, calls }, null, 2)}\n`;
}

/**
 * Reads such a file's text, or the numbered lines of a story.
 *
 * @param path as errors call it.
 * @throws {UsageError} where it is something else.
 */
export function parseFinding(json: string, path: string): KeptFinding {
  try {
    if (!json.trimStart().startsWith("{")) return fromStory(json);
    const value = parseObject(json, json);
    if (value.version !== VERSION) throw new ProtocolError("another version of the form");
    return {
      kernel: text(value, "kernel", MAX_NAME),
      topology: text(value, "topology", MAX_NAME),
      seed: integer(value, "seed", MAX_WORD),
      program: decodeProgram(json),
      rules: Array.isArray(value.rules) ? value.rules.filter(isRuleId) : [],
      strict: value.strict === true,
    };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const why =
      `${path} is not a finding that explore --save wrote (version ${VERSION}), nor the ` +
      "lines that it printed";
    throw new UsageError(`${why}: ${error.message}`);
  }
}

/** @throws {ProtocolError} where there is no call in it. */
function fromStory(story: string): KeptFinding {
  const calls = parseStory(story);
  if (calls.length === 0) throw new ProtocolError("there is no call in it");
  const seed = Number(/\bseed (\d+)/.exec(story)?.[1] ?? 0);
  return {
    kernel: "unknown",
    topology: "unknown",
    seed,
    program: { calls },
    rules: ruleIn(story),
    strict: false,
  };
}

/** The rule that the end of a story names. */
function ruleIn(story: string): RuleId[] {
  const found = [...story.matchAll(/\b([a-z]+\/[a-z-]+): /g)].map(([, id = ""]) => id);
  return found.filter(isRuleId).slice(0, 1);
}
