/**
 * The commands `list` and `explain`: what cases there are, and what one of them is about.
 *
 * @module
 */
import {
  type CaseInfo,
  FEATURES,
  levelOf,
  neededOf,
  referenceText,
  upstreamName,
} from "../core/case.ts";
import { EXIT } from "../core/outcome.ts";
import { select } from "../core/selector.ts";
import { NOTHING_LEFT } from "../core/side_by_side.ts";
import { screenOf } from "../report/terminal.ts";
import { type CaseFilter, factsOf, fits, upstreamPlace } from "./case_facts.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import { chosenCases } from "./conduct.ts";

/** How to print cases. */
interface PrintOptions {
  readonly json?: boolean | undefined;
}

/** Prints the chosen cases, an id and a title a line. */
export function list(selectors: readonly string[], options: CaseFilter & PrintOptions): number {
  const cases = chosenCases(selectors).filter((info) => fits(info, options));
  const width = Math.max(...cases.map(({ id }) => id.length));
  const lines = cases.map(({ id, title, alone }) =>
    `${id.padEnd(width)}  ${title}${alone === undefined ? "" : " (alone)"}\n`
  );
  screenOf(Deno.stdout).write(options.json ? jsonOf(cases) : lines.join(""));
  return EXIT.ok;
}

/** Prints what is known of the chosen cases. */
export function explain(selector: string, options: PrintOptions): number {
  const cases = select<CaseInfo>([...CATALOGUE, NOTHING_LEFT], [selector]);
  screenOf(Deno.stdout).write(options.json ? jsonOf(cases) : cases.map(explanation).join("\n"));
  return EXIT.ok;
}

function jsonOf(cases: readonly CaseInfo[]): string {
  return `${JSON.stringify(cases.map(factsOf), null, 2)}\n`;
}

/** A line for every feature that a case needs, and on which side if not on both. */
function needsText(info: CaseInfo): string[] {
  const client = neededOf(info, "client");
  const server = neededOf(info, "server");
  return [...new Set([...client, ...server])].map((feature) => {
    const both = client.includes(feature) && server.includes(feature);
    const where = both ? "" : client.includes(feature) ? " (client)" : " (server)";
    return `  needs        ${FEATURES[feature]}${where}`;
  });
}

/** A case in full, as text that ends with a line end. */
function explanation(info: CaseInfo): string {
  const place = upstreamPlace(upstreamName(info));
  const lines = [
    info.id,
    `  ${info.title}`,
    "",
    `  requirement  ${info.requirement}`,
    `  if broken    ${levelOf(info) === "should" ? "warn" : "fail"}`,
    ...needsText(info),
    ...(info.alone === undefined ? [] : [`  alone        ${info.alone}`]),
    ...info.refs.map((reference) => `  source       ${referenceText(reference)}`),
    ...(place === undefined ? [] : [`  upstream id  ${place.id} (${place.program}, Linux 7.3)`]),
  ];
  return `${lines.join("\n")}\n`;
}
