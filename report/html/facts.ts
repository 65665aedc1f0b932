/**
 * The part of the page that says what a run was made on, and how it can be repeated.
 *
 * @module
 */
import type { EndFacts, VmFacts } from "../../core/event.ts";
import { type Markup, markup } from "../markup.ts";
import type { ReportedCase, RunReport } from "../model.ts";
import { againText, endFacts, retryText, shellText, vmFacts, warningsOf } from "../run_facts.ts";

/** What must be known before any verdict is believed. */
export function warningsNote({ ends }: RunReport): Markup | string {
  const warnings = warningsOf(ends);
  if (warnings.length === 0) return "";
  return markup`<div class="note"><strong>Before the first case:</strong><ul class="notes">${
    warnings.map((warning) => markup`<li>${warning}</li>`)
  }</ul></div>`;
}

/** What had to be done again. */
export function retriesNote({ retries = [] }: RunReport): Markup | string {
  if (retries.length === 0) return "";
  return markup`<div class="note"><strong>Done again:</strong><ul class="notes">${
    retries.map((retry) => markup`<li>${retryText(retry)}</li>`)
  }</ul></div>`;
}

/** The machines, the tool and the command. */
export function factsSection(report: RunReport): Markup {
  const vms = report.lab?.vms ?? [];
  return markup`<section aria-labelledby="facts-title">
<h2 id="facts-title">What ran</h2>
<div class="cards">${report.ends.map(endCard)}${vms.map(vmCard)}${runCard(report)}</div>
<p class="command"><code>${shellText(["vsock-conformance", ...report.argv])}</code></p>
</section>`;
}

/** The command that runs a case again, and a button that copies it where scripts may run. */
export function againLine(report: RunReport, entry: ReportedCase): Markup | string {
  return commandLine(againText(report, entry), `${entry.id}, ${entry.direction}`);
}

/** A command that runs something again, with its button. */
export function commandLine(command: string | undefined, what: string): Markup | string {
  if (command === undefined) return "";
  const label = `Copy the command that runs ${what}, again`;
  return markup`<p class="again"><code>${command}</code> \
<button type="button" class="copy" aria-label="${label}" hidden>Copy</button></p>`;
}

type Entry = readonly [name: string, value: string | number | Markup];

function facts(entries: readonly Entry[]): Markup {
  return markup`<dl>${
    entries.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)
  }</dl>`;
}

function endCard(end: EndFacts): Markup {
  const { name, kernel, machine, localCid, localCids } = end;
  return markup`<div class="card"><h3>${name}</h3>${
    facts([
      ["kernel", markup`<code>${kernel}</code>`],
      ["machine", machine],
      ["CID", localCids?.join(", ") ?? localCid ?? "unknown"],
      ...codes(endFacts(end)),
    ])
  }</div>`;
}

function vmCard(vm: VmFacts): Markup {
  return markup`<div class="card"><h3>${vm.name}’s VM</h3>${facts(codes(vmFacts(vm)))}</div>`;
}

/** Facts by the last part of their names, which the card's title begins. */
function codes(named: readonly (readonly [string, string])[]): Entry[] {
  return named.map((
    [name, value],
  ) => [name.split(".").at(-1) ?? "", markup`<code>${value}</code>`]);
}

function runCard({ topology, seed, caseTimeout, tool, commit, lab }: RunReport): Markup {
  return markup`<div class="card"><h3>run</h3>${
    facts([
      ["topology", topology],
      ["seed", markup`<code>${seed}</code>`],
      ["deadline", `${caseTimeout / 1000} s a case`],
      ["tool", tool],
      ...(commit === undefined ? [] : [["commit", markup`<code>${commit}</code>`] as const]),
      ...(lab === undefined ? [] : [["kernel", markup`<code>${lab.kernel}</code>`] as const]),
    ])
  }</div>`;
}
