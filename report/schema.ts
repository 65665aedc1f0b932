/**
 * The form of a report as a JSON schema, and reading one.
 *
 * @module
 */
import { cleanStrings, oneLine } from "../core/clean.ts";
import { reasonOf } from "../core/error.ts";
import { Kind, type Static, Type, TypeRegistry } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { CASE_ID, type Level } from "../core/case.ts";
import type { Outcome, SideState } from "../core/outcome.ts";
import type { Direction, Topology } from "../core/plan.ts";
import { VERSION } from "../core/version.ts";
import { REPORT_FORMAT, REPORT_VERSION, ReportError, type RunReport } from "./model.ts";

/** The form of a reference's URL: nothing that a browser would run, or that ends an attribute. */
const REFERENCE_URL = /^https:\/\/[A-Za-z0-9._~:/?#@!$&()*+,;=%-]+$/;

/** The version that is read, too: it lacks the outcome `retried` and runs that never began. */
const FORMER_VERSION = 1;

// The library has no kind of its own for an enumeration of strings.
const ONE_OF = "OneOf";
TypeRegistry.Set<{ enum: unknown[] }>(ONE_OF, (schema, value) => schema.enum.includes(value));

/** The names of a union of strings: all of them, which the type of `names` sees to. */
function oneOf<T extends string>(names: Readonly<Record<T, true>>, description?: string) {
  const options = description === undefined ? {} : { description };
  return Type.Unsafe<T>({
    [Kind]: ONE_OF,
    type: "string",
    enum: Object.keys(names),
    ...options,
  });
}

const count = (description: string) => Type.Integer({ minimum: 0, description });
const milliseconds = (description: string) => Type.Number({ minimum: 0, description });
const word32 = (description: string) =>
  Type.Integer({ minimum: 0, maximum: 0xffffffff, description });

const SHARD = Type.Object({ index: count("which part, from 1"), count: count("of how many") });
const DIRECTION = oneOf<Direction>(
  { "host-server": true, "guest-server": true, loopback: true },
  "which end plays the server",
);
const TOPOLOGY = oneOf<Topology>({
  loopback: true,
  "guest-host": true,
  "three-cids": true,
  "three-devices": true,
});
const LEVEL = oneOf<Level>({ must: true, should: true });
const OUTCOME = oneOf<Outcome>(
  {
    pass: true,
    fail: true,
    warn: true,
    skip: true,
    broken: true,
    timeout: true,
    retried: true,
    "expected-fail": true,
    "unexpected-pass": true,
  },
  "see docs/outcomes.md",
);
const STATE = oneOf<SideState>(
  { pass: true, fail: true, timeout: true, broken: true, skip: true, stopped: true },
  "how this side of the case ended",
);

const SPLATS = (description: string) =>
  Type.Optional(Type.Array(Type.Array(Type.String(), { minItems: 1 }), { description }));
const CONFIG = (description: string) =>
  Type.Optional(Type.Object({
    path: Type.String({ description: "the file that was read" }),
    sha256: Type.String({ description: "of its text, uncompressed" }),
  }, { description }));
const WORDS = (description: string) => Type.Optional(Type.Array(Type.String(), { description }));

const END = Type.Object({
  name: Type.String({ description: "host, guest or loopback" }),
  kernel: Type.String({ description: "uname -r" }),
  machine: Type.String({ description: "uname -m" }),
  localCid: Type.Optional(word32("the machine's own CID, where there is a /dev/vsock")),
  localCids: Type.Optional(
    Type.Array(word32("a CID"), { description: "all CIDs of a guest with several devices" }),
  ),
  version: Type.String({ description: "the version of the tool there" }),
  unwatched: Type.Optional(
    Type.String({ description: "why faults in its kernel's log went unseen, where they did" }),
  ),
  leaks: Type.Optional(Type.Object({
    watched: Type.Array(Type.String(), { description: "what was looked at for leaks" }),
    milliseconds: milliseconds("how long that may take after a case"),
  })),
  uname: Type.Optional(Type.String({ description: "uname -srvm" })),
  commandLine: Type.Optional(Type.String({ description: "/proc/cmdline" })),
  config: CONFIG("how the kernel was configured, where that could be read"),
  taint: Type.Optional(count("/proc/sys/kernel/tainted before the first case")),
  faultsBefore: SPLATS("faults that its kernel's log held before the first case"),
});

const VM = Type.Object({
  name: Type.String({ description: "the end that is in it: host, guest or loopback" }),
  accelerator: Type.Optional(Type.String({ description: "how its processors come about" })),
  qemu: Type.Optional(Type.String({ description: "the first line of qemu --version" })),
  command: WORDS("QEMU and its arguments"),
  console: Type.Optional(Type.String({ description: "the file of its serial console" })),
});

const LAB = Type.Object({
  kernel: Type.String({ description: "as it was named" }),
  config: CONFIG("its configuration, where the lab knows it"),
  vms: Type.Array(VM, { description: "the outer one first" }),
}, { description: "there where the ends are VMs that the tool booted" });

const RETRY = Type.Object({
  what: Type.String({ description: "boot, restore, or a case in a direction" }),
  why: Type.String({ description: "what had gone wrong" }),
  times: Type.Optional(
    Type.Integer({ minimum: 1, description: "how often it was done again for that; once without" }),
  ),
});

const REASONS = Type.Array(Type.String(), { description: "why it did not pass, one line each" });

const SIDE = Type.Object({
  state: STATE,
  reasons: REASONS,
  step: Type.String({ description: "what it was doing last" }),
  milliseconds: milliseconds("how long this side took"),
  died: Type.Optional(Type.Literal(true, { description: "there where its process died in it" })),
  splats: SPLATS("faults that its kernel reported in its log meanwhile, each as its lines"),
  harm: Type.Optional(Type.Object({
    taint: count("the bits of /proc/sys/kernel/tainted that have come since the run began"),
    effects: Type.Array(Type.String(), { description: "what that means, one line each" }),
    lasting: Type.Optional(
      Type.Literal(true, { description: "there where nothing said of it can be trusted any more" }),
    ),
  }, { description: "there where its kernel is no longer as it was when the run began" })),
});

const VERDICT = Type.Object({
  outcome: OUTCOME,
  reasons: REASONS,
  milliseconds: milliseconds("how long the case took"),
  sides: Type.Optional(Type.Object({ client: SIDE, server: SIDE })),
}, { description: "missing where the case did not run, or did not end" });

const often = () => Type.Optional(Type.Integer({ minimum: 1 }));
const OUTCOMES = Type.Object({
  pass: often(),
  fail: often(),
  warn: often(),
  skip: often(),
  broken: often(),
  timeout: often(),
  retried: often(),
  "expected-fail": often(),
  "unexpected-pass": often(),
}, { description: "how often it had which outcome, where it ran in several rounds" });

const REFERENCE = Type.Object({
  text: Type.String({ description: "what it is" }),
  url: Type.String({ pattern: REFERENCE_URL.source, description: "where it can be read" }),
});

const CASE = Type.Object({
  id: Type.String({ pattern: CASE_ID.source, description: "family/topic/claim" }),
  title: Type.String(),
  requirement: Type.String({ description: "one sentence that says MUST or SHOULD" }),
  level: LEVEL,
  upstream: Type.Optional(
    Type.String({ description: "the name of the case in tools/testing/vsock it was ported from" }),
  ),
  refs: Type.Optional(Type.Array(REFERENCE, {
    description: "where the requirement is written down",
  })),
  direction: DIRECTION,
  kcidb: Type.Optional(Type.String({
    pattern: "^[.a-zA-Z0-9_-]*$",
    description: "what KCIDB calls it: vsock-conformance.direction.family.topic.claim",
  })),
  verdict: Type.Optional(VERDICT),
  outcomes: Type.Optional(OUTCOMES),
  seed: Type.Optional(word32("repeats the verdict's round, where there were several")),
});

const REPORT = Type.Object({
  format: Type.Literal(REPORT_FORMAT),
  version: Type.Literal(REPORT_VERSION),
  tool: Type.String({ description: "the version of the tool that made the run" }),
  commit: Type.Optional(Type.String({ description: "of the tool; -dirty: files differed" })),
  argv: Type.Array(Type.String(), { description: "what the tool was called with" }),
  again: WORDS("the arguments that run cases so again, but for their ids and the seed"),
  startedAt: Type.String({
    pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$",
    description: "ISO 8601, UTC",
  }),
  milliseconds: milliseconds("how long the run took"),
  topology: TOPOLOGY,
  seed: word32("repeats the run's randomness with --seed"),
  caseTimeout: milliseconds("a case's deadline"),
  ends: Type.Array(END, {
    maxItems: 2,
    description: "the two machines; one on loopback; none where the run never began",
  }),
  lab: Type.Optional(LAB),
  shard: Type.Optional(SHARD),
  retries: Type.Optional(Type.Array(RETRY, { description: "what was done again, and why" })),
  rounds: Type.Optional(count("how many rounds there were, where there were several")),
  cases: Type.Array(CASE, {
    description: "the whole plan, in the order of its first round: direction by direction",
  }),
  stopped: Type.Optional(Type.Object({
    reason: Type.String(),
    during: Type.Optional(
      count("the first of the cases without a verdict that had begun then, counted from 1"),
    ),
  }, { description: "there where the run ended before its plan did" })),
  notStarted: Type.Optional(Type.Object({ reason: Type.String() }, {
    description: "there where the run never began: no case has a verdict",
  })),
}, {
  $schema: "http://json-schema.org/draft-07/schema#",
  $id: `urn:${REPORT_FORMAT}:${REPORT_VERSION}`,
  title: "A run of vsock-conformance",
  description: "What --report json=FILE writes. A reader ignores fields that it does not know.",
});

/** The JSON schema (draft 7) of a report, as text. */
export function schemaText(): string {
  return `${JSON.stringify(REPORT, null, 2)}\n`;
}

/**
 * Reads a report that {@linkcode RunReport} describes. Whoever wrote it may be anybody: its strings
 * are given as {@linkcode oneLine} has them.
 *
 * @param text JSON.
 * @param source where it comes from, for the error.
 * @throws {ReportError} where it is something else, and says what.
 */
export function parseReport(text: string, source: string): RunReport {
  const refuse = (why: string) => new ReportError(`Cannot read ${source}: ${oneLine(why)}`);
  let value: unknown;
  try {
    // What some editors and shells put in front of UTF-8 is no part of it.
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw refuse(text.trim() === "" ? "it is empty" : `it is not valid JSON (${reasonOf(error)})`);
  }
  const { format, version } = fieldsOf(value);
  if (format !== REPORT_FORMAT) {
    throw refuse(`it is not a report of a run: its field "format" is not "${REPORT_FORMAT}"`);
  }
  if (version !== REPORT_VERSION && version !== FORMER_VERSION) {
    throw refuse(
      `it is a report of version ${JSON.stringify(version)}, and vsock-conformance ${VERSION} ` +
        `reads versions ${FORMER_VERSION} and ${REPORT_VERSION}; use the version of the tool ` +
        "that wrote it",
    );
  }
  // All that the former version has is in this one as it was.
  if (version === FORMER_VERSION) Object.assign(value as object, { version: REPORT_VERSION });
  if (!Value.Check(REPORT, value)) {
    const wrong = Value.Errors(REPORT, value).First();
    const message = wrong?.schema.enum === undefined
      ? wrong?.message
      : `Expected one of ${wrong.schema.enum.join(", ")}`;
    throw refuse(`${wrong?.path}: ${message}, found ${shown(wrong?.value)}`);
  }
  const wrong = contradiction(value);
  if (wrong !== undefined) throw refuse(wrong);
  return cleanStrings(value);
}

/** What no run can have brought about, though each field by itself is of the right form. */
function contradiction(report: Static<typeof REPORT>): string | undefined {
  const { cases, ends, stopped, notStarted } = report;
  if (notStarted !== undefined) {
    const first = cases.findIndex(({ verdict }) => verdict !== undefined);
    if (first >= 0) return `/cases/${first} has a verdict, but the run never began`;
    if (stopped !== undefined) return "/stopped: the run never began";
  }
  if (ends.length === 0 && notStarted === undefined) {
    return "/ends: Expected at least one, since the run began";
  }
  const firstLeft = cases.findIndex(({ verdict }) => verdict === undefined);
  if (firstLeft >= 0 && stopped === undefined && notStarted === undefined) {
    return `/cases/${firstLeft} did not run, but nothing says why`;
  }
  const during = cases[(stopped?.during ?? 0) - 1];
  if (stopped?.during !== undefined && (during === undefined || during.verdict !== undefined)) {
    return "/stopped/during: Expected a case without a verdict";
  }
  const back = cases.findIndex(({ direction }, i) =>
    cases[i - 1]?.direction !== direction &&
    cases.slice(0, i).some((earlier) => earlier.direction === direction)
  );
  if (back >= 0) return `/cases/${back} is not next to the others of its direction`;
  const seen = new Set<string>();
  for (const [i, { id, direction }] of cases.entries()) {
    const name = `${id} (${direction})`;
    if (seen.has(name)) return `/cases/${i}: ${name} is there twice`;
    seen.add(name);
  }
  return undefined;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
