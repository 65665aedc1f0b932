/**
 * The commands `list` and `explain`.
 *
 * @module
 */
import { Help } from "commander";
import {
  type CaseInfo,
  FEATURES,
  levelOf,
  neededOf,
  referenceText,
  upstreamName,
} from "../core/case.ts";
import { EXIT } from "../core/outcome.ts";
import { referenceUrl } from "../core/reference_url.ts";
import { select } from "../core/selector.ts";
import { NOTHING_LEFT } from "../core/parallel_leaks.ts";
import {
  type CaseFilter,
  type DescribedCase,
  factsOf,
  fits,
  foundBy,
  upstreamPlace,
} from "./case_facts.ts";
import { allCases } from "../suites/catalogue.ts";
import { addCaseFiles } from "./case_files.ts";
import type { CaseFileOptions } from "./options/cases.ts";
import { chosenCases } from "./run_cases.ts";
import { screenOf } from "../report/screen.ts";

/** How to print cases. */
export interface PrintOptions extends CaseFileOptions {
  readonly json?: boolean | undefined;
}

/** Prints the chosen cases, an id and a title per line; text that matches no id is searched for. */
export async function list(
  selectors: readonly string[],
  options: CaseFilter & PrintOptions,
): Promise<number> {
  await addCaseFiles(options.cases);
  const chosen = chosenCases(selectors.flatMap((text) => foundBy(text, allCases())));
  const cases = chosen.filter((info) => fits(info, options));
  const width = Math.max(...cases.map(({ id }) => id.length));
  const lines = cases.map(({ id, title, alone, slow }) => {
    const marks = [...(alone === undefined ? [] : ["exclusive"]), ...(slow ? ["slow"] : [])];
    return `${id.padEnd(width)}  ${title}${marks.length === 0 ? "" : ` (${marks.join(", ")})`}\n`;
  });
  screenOf(Deno.stdout).write(options.json ? jsonOf(cases) : lines.join(""));
  return EXIT.ok;
}

/** Prints the chosen cases in full. */
export async function explain(selector: string, options: PrintOptions): Promise<number> {
  await addCaseFiles(options.cases);
  const cases = select<DescribedCase>([...allCases(), NOTHING_LEFT], [selector]);
  screenOf(Deno.stdout).write(options.json ? jsonOf(cases) : cases.map(explanation).join("\n"));
  return EXIT.ok;
}

function jsonOf(cases: readonly DescribedCase[]): string {
  return `${JSON.stringify(cases.map(factsOf), null, 2)}\n`;
}

/** The width of the text, and the column in which the values of fields begin. */
const WIDTH = 100;
const VALUE_AT = 15;

/** Wraps text, and indents further lines by the length of `begin`. */
function wrapped(begin: string, text: string): string {
  const lines = new Help().boxWrap(text, WIDTH - begin.length).split("\n");
  return begin + lines.join(`\n${" ".repeat(begin.length)}`);
}

/** A field of a case. */
function field(name: string, value: string): string {
  return wrapped(`  ${name}`.padEnd(VALUE_AT), value);
}

/** A field for every feature that a case needs, with the side if it is only one. */
function needsText(info: CaseInfo): string[] {
  const client = neededOf(info, "client");
  const server = neededOf(info, "server");
  return [...new Set([...client, ...server])].map((feature) => {
    const both = client.includes(feature) && server.includes(feature);
    const where = both ? "" : client.includes(feature) ? " (client)" : " (server)";
    return field("needs", `${FEATURES[feature]}${where}`);
  });
}

/** A case in full, as text that ends with a line end. */
function explanation(info: DescribedCase): string {
  const place = upstreamPlace(upstreamName(info));
  const lines = [
    info.id,
    wrapped("  ", info.title),
    "",
    field("requirement", info.requirement),
    field("if broken", levelOf(info) === "should" ? "warn" : "fail"),
    field("client", info.does.client ?? "does nothing"),
    field("server", info.does.server ?? "does nothing"),
    ...needsText(info),
    ...(info.alone === undefined ? [] : [field("exclusive", info.alone)]),
    ...info.refs.flatMap((reference) => [
      field("source", referenceText(reference)),
      // Not wrapped, so that terminals recognize the address.
      `${" ".repeat(VALUE_AT)}${referenceUrl(reference)}`,
    ]),
    ...(info.slow ? [field("slow", "yes: the kernel's own timeouts take more than 2 s")] : []),
    ...(place === undefined
      ? []
      : [field("upstream id", `${place.id} (${place.program}, Linux 7.3)`)]),
  ];
  return `${lines.join("\n")}\n`;
}
