/**
 * How the page of a matrix looks, besides what every page has.
 *
 * @module
 */

/** With more columns than that the table gets no wider, but its columns narrower. */
export const WIDEST = 16;
/** Without a width of its own each table would be as wide as the longest command in it. */
const WIDTHS = Array.from(
  { length: WIDEST },
  (_, i) => `.of-${i + 1} { min-width: ${15 + 10 * (i + 1)}rem; }`,
).join("\n");

/** CSS that follows that of every page. */
export const MATRIX_STYLE = `
@media (min-width: 45rem) {
${WIDTHS}
}
.sr { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; white-space: nowrap; }
.name { font-weight: 600; }
thead .name { display: inline; font-size: 1rem; font-weight: 600; color: var(--ink); }
.verdicts { margin: 0.6rem 0; display: flex; flex-wrap: wrap; gap: 0.15rem 1rem; font-size: 0.9rem; }
.card .note { margin: 0.6rem 0; padding: 0.4rem 0.7rem; overflow-wrap: anywhere; font-size: 0.9rem; }
.tone { color: var(--tone); }
.pairs th, .pairs td { padding: 0.5rem 1rem; border-top: 1px solid var(--line); }
.pairs thead th { border-top: 0; width: auto; font-size: 0.85rem; color: var(--dim); }
.pairs td { font-variant-numeric: tabular-nums; }
.compare, select {
  font: inherit; color: inherit; padding: 0.2rem 0.75rem; border: 1px solid var(--line);
  border-radius: 8px; background: var(--card); max-width: 100%;
}
.issues > li {
  padding: 0.5rem 0; border-top: 1px solid var(--line);
}
.issues > li:first-child { border-top: 0; }
.ids { font-family: ui-monospace, monospace; font-size: 0.8rem; overflow-wrap: anywhere; }
.issue, .known a {
  display: inline-block; padding: 0 0.45rem; border: 1px solid currentColor; border-radius: 6px;
  font-size: 0.8rem; font-weight: 600; color: var(--skip); text-decoration: none;
}
.scroll { overflow-x: auto; position: relative; }
.matrix { table-layout: fixed; }
.matrix thead th:not(:first-child) { width: auto; overflow-wrap: anywhere; }
.matrix thead th:first-child { width: 22rem; }
.matrix .fold { overflow-wrap: anywhere; }
.matrix .family { background: var(--soft); }
.matrix .family > * { padding: 0.6rem 1rem; border-block: 1px solid var(--line); background: var(--soft); }
.matrix .family .fold { font-size: 1rem; }
.matrix .family .fold + span { white-space: nowrap; }
.matrix .family .tally { height: 0.4rem; margin-top: 0.35rem; border-radius: 3px; }
.matrix .family td { font-size: 0.9rem; }
.ratio { color: var(--ink); font-variant-numeric: tabular-nums; margin-right: 0.4rem; }
.chip { display: inline-flex; gap: 0.25rem; align-items: center; margin-right: 0.5rem; color: var(--tone) !important; }
.chip .mark { width: 12px; height: 12px; }
.line { display: block; }
.repeat > * { padding: 0.35rem 1rem; font-size: 0.85rem; color: var(--dim); }
.repeat .again { margin: 0; }
.matrix .detail .ways { grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); max-width: 74rem; }
.matrix .again code { overflow-wrap: anywhere; }
@media (max-width: 45rem) {
  .pairs tr { display: block; padding: 0.6rem 1rem; border-top: 1px solid var(--line); }
  .pairs th, .pairs td { display: block; padding: 0.1rem 0; border: 0; }
  .pairs td .where { display: inline; margin-right: 0.5rem; }
  .scroll { overflow-x: visible; }
  .matrix { table-layout: auto; }
  select { width: 100%; min-width: 0; }
  .matrix .family, .repeat { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 0.4rem 0.8rem; padding: 0.6rem 1rem; border-top: 1px solid var(--line); }
  .matrix .family > *, .repeat > * { padding: 0; border: 0; }
  .matrix .family th, .repeat th { grid-column: 1 / -1; }
  .matrix .case { grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 0.4rem 0.8rem; }
  .matrix .detail .ways { max-width: none; }
}
`;
