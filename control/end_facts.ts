/**
 * The optional facts about a machine in an agent's greeting: those that are malformed are dropped.
 *
 * @module
 */
import type { ConfigFacts, EndFacts } from "../core/event.ts";
import type { Splat } from "../core/splat.ts";

/** The optional facts. */
export type MachineFacts = Pick<
  EndFacts,
  "uname" | "commandLine" | "config" | "taint" | "faultsBefore"
>;

/** The maximum length of a text, in characters; a kernel's command line has at most 4096. */
const MAX_TEXT = 8192;
/** The maximum number of faults, and of lines in each. */
const MAX_SPLATS = 16;
const MAX_LINES = 64;

/** Takes the facts from a greeting that was parsed as JSON. */
export function decodeMachine(said: Readonly<Record<string, unknown>>): MachineFacts {
  const { uname, commandLine, config, taint, faultsBefore } = said;
  const digest = isConfig(config) ? { path: config.path, sha256: config.sha256 } : undefined;
  const faults = Array.isArray(faultsBefore) ? faultsBefore.filter(isSplat) : [];
  return {
    ...(isText(uname) ? { uname } : {}),
    ...(isText(commandLine) ? { commandLine } : {}),
    ...(digest === undefined ? {} : { config: digest }),
    ...(Number.isSafeInteger(taint) && Number(taint) >= 0 ? { taint: Number(taint) } : {}),
    ...(faults.length === 0 ? {} : { faultsBefore: faults.slice(0, MAX_SPLATS) }),
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT;
}

function isConfig(value: unknown): value is ConfigFacts {
  if (typeof value !== "object" || value === null) return false;
  const { path, sha256 } = value as Partial<Record<keyof ConfigFacts, unknown>>;
  return isText(path) && typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256);
}

function isSplat(value: unknown): value is Splat {
  return Array.isArray(value) && value.length > 0 && value.length <= MAX_LINES &&
    value.every(isText);
}
