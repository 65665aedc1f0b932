/**
 * How the page looks: light and dark, on wide and narrow screens, and on paper.
 *
 * @module
 */

const COLOURS = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2027; --dim: #59636e; --line: #dde2e8;
  --soft: #eef1f4; --link: #1d4fc4; --focus: #1d4fc4;
  --pass: #18794e; --warn: #8a5d00; --fail: #c22117; --timeout: #a84300; --broken: #7a3bb8;
  --skip: #476a8f; --left: #66707a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #111418; --card: #191d23; --ink: #e7eaee; --dim: #9ba6b2; --line: #2c333c;
    --soft: #222831; --link: #8ab4ff; --focus: #8ab4ff;
    --pass: #4ac28a; --warn: #e5b64a; --fail: #ff7a70; --timeout: #ff9f5a; --broken: #c79bff;
    --skip: #8db4dc; --left: #939daa;
  }
}
.e-pass { --tone: var(--pass); }
.e-warn, .e-retried { --tone: var(--warn); }
.e-fail { --tone: var(--fail); }
.e-timeout { --tone: var(--timeout); }
.e-broken { --tone: var(--broken); }
.e-skip, .e-expected-fail { --tone: var(--skip); }
.e-unexpected-pass { --tone: var(--fail); }
.e-left { --tone: var(--left); }
`;

const PAGE = `
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { scroll-padding-top: 9rem; }
body {
  margin: 0 auto; padding: 2rem 1.5rem 5rem; max-width: 76rem; background: var(--page);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
}
h1, h2, h3, h4, p, ul, dl, dd, figure { margin: 0; padding: 0; }
h1 { font-size: clamp(1.75rem, 5vw, 2.75rem); line-height: 1.15; letter-spacing: -0.02em; }
h1.good { color: var(--pass); }
h1.bad { color: var(--fail); }
h1.unsure { color: var(--timeout); }
h1.neutral { color: var(--ink); }
h2 { font-size: 1.2rem; margin: 2.5rem 0 0.75rem; }
h3 { font-size: 1rem; }
h4 { font-size: 0.85rem; font-weight: 600; color: var(--dim); }
code, .fold, .reasons, .why, .wrong a { font-family: ui-monospace, monospace; font-size: 0.875em; }
code, .reasons, .why, .wrong a, .fold { overflow-wrap: anywhere; }
a { color: var(--link); }
ul { list-style: none; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
.defs { position: absolute; }
.skip-link { position: absolute; left: -100vw; }
.skip-link:focus { left: 1rem; top: 0.5rem; background: var(--card); padding: 0.25rem 0.75rem; }
.eyebrow, .lead, .dim { color: var(--dim); }
time { white-space: nowrap; }
.lead { margin-top: 0.35rem; }
.tally { display: block; width: 100%; height: 0.75rem; margin-top: 1.25rem; border-radius: 6px; }
.tally rect { fill: var(--tone); stroke: var(--page); stroke-width: 2; vector-effect: non-scaling-stroke; }
.mark { flex: none; fill: var(--tone); vertical-align: -0.15em; }
.mark.e-skip, .mark.e-left, .mark.e-expected-fail,
.chart .e-skip, .chart .e-left, .chart .e-expected-fail {
  fill: none; stroke: var(--tone); stroke-width: 2;
}
.note {
  margin-top: 1.5rem; padding: 0.75rem 1rem; border: 1px solid var(--line);
  border-left: 4px solid var(--timeout); border-radius: 6px; background: var(--card);
}
.notes { margin-top: 0.25rem; overflow-wrap: anywhere; }
.wrong li { display: flex; gap: 0.6rem; align-items: baseline; padding: 0.35rem 0; }
.wrong .mark { position: relative; top: 0.15em; }
.why { color: var(--dim); }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
.card, figure, table {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px;
}
.card { padding: 0.9rem 1.1rem; }
.card dl { margin-top: 0.4rem; }
.card dl > div { display: grid; grid-template-columns: 5.5rem 1fr; gap: 0.5rem; }
dt { color: var(--dim); }
dd { min-width: 0; }
.command { margin-top: 0.75rem; color: var(--dim); }
figure { padding: 0.75rem; }
.chart { display: block; width: 100%; height: auto; overflow: visible; }
.chart text {
  font: 12px system-ui, sans-serif; fill: var(--dim); paint-order: stroke; stroke: var(--card);
  stroke-width: 4px;
}
.chart .lane { font-weight: 600; fill: var(--ink); }
.chart use { fill: var(--tone); }
.chart .grid, .chart .rule { stroke: var(--line); }
.chart .deadline { stroke: var(--timeout); stroke-dasharray: 4 3; }
.chart .deadline-text { fill: var(--timeout); }
.narrow { display: none; }
`;

const TABLE = `
.filter {
  position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 0.6rem 0.9rem;
  align-items: center; padding: 0.75rem 0; background: var(--page);
}
.filter label { display: flex; gap: 0.5rem; align-items: center; color: var(--dim); }
input, button { font: inherit; color: inherit; }
input, .endings button, #unfold, #reset, .copy {
  padding: 0.3rem 0.75rem; border: 1px solid var(--line); border-radius: 8px;
  background: var(--card);
}
input { width: 15rem; max-width: 100%; }
input::placeholder { color: var(--dim); opacity: 1; }
button { cursor: pointer; }
.endings { display: flex; flex-wrap: wrap; gap: 0.4rem; }
.endings button { display: inline-flex; gap: 0.4rem; align-items: center; border-radius: 99px; }
button:hover { border-color: var(--dim); }
.endings [aria-pressed="true"], #unfold[aria-pressed="true"] {
  background: var(--ink); border-color: var(--ink); color: var(--page);
}
.endings [aria-pressed="true"] .mark { fill: currentColor; }
output { margin-left: auto; color: var(--dim); }
table { width: 100%; border-collapse: separate; border-spacing: 0; }
th, td { text-align: left; vertical-align: top; font-weight: inherit; }
thead th { padding: 0.6rem 1rem; font-weight: 600; }
thead th span { display: block; font-size: 0.8rem; font-weight: 400; color: var(--dim); }
thead th:not(:first-child) { width: 15rem; }
.family th { padding: 0.5rem 1rem; background: var(--soft); border-block: 1px solid var(--line); }
.family h3 { display: inline; margin-right: 0.5rem; }
.family span { color: var(--dim); font-size: 0.875rem; }
.case { cursor: pointer; }
.case > * { padding: 0.5rem 1rem; border-top: 1px solid var(--line); }
.family + .case > * { border-top: 0; }
.case:hover { background: var(--soft); }
.case:target { box-shadow: inset 4px 0 0 var(--focus); }
.fold { padding: 0; border: 0; background: none; text-align: left; font-weight: 600; }
.fold::before {
  content: ""; display: inline-block; width: 0.45em; height: 0.45em; margin-right: 0.7em;
  border: solid var(--dim); border-width: 0 2px 2px 0; transform: rotate(-45deg);
  vertical-align: 0.12em;
}
.fold[aria-expanded="true"]::before { transform: rotate(45deg); vertical-align: 0.25em; }
.title { display: block; padding-left: 1.05rem; font-size: 0.875rem; color: var(--dim); }
.badge { display: inline-block; min-width: 5.25rem; color: var(--tone); }
.badge .mark { margin-right: 0.4rem; }
.e-fail.badge, .e-timeout.badge, .e-broken.badge, .e-unexpected-pass.badge { font-weight: 700; }
.time { color: var(--dim); font-variant-numeric: tabular-nums; }
.where { display: none; }
.detail td { padding: 0.25rem 1rem 1.1rem 2.05rem; }
.requirement { max-width: 60rem; }
.sources { font-size: 0.9rem; }
.ways { display: grid; gap: 0.75rem 2rem; margin-top: 0.6rem; }
.columns-2 .ways { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.side { font-size: 0.9rem; margin-top: 0.25rem; }
.reasons li { padding: 0.15rem 0 0.15rem 0.7rem; margin: 0.15rem 0; border-left: 3px solid var(--line); }
.step { font-size: 0.9rem; color: var(--dim); }
.again { margin-top: 0.6rem; font-size: 0.9rem; color: var(--dim); }
.copy { padding: 0.05rem 0.6rem; color: var(--ink); }
details summary { cursor: pointer; color: var(--link); font-size: 0.9rem; }
.nothing { padding: 2rem 0; text-align: center; }
`;

const NARROW = `
@media (max-width: 45rem) {
  html { scroll-padding-top: 1rem; }
  body { padding: 1.25rem 1rem 4rem; }
  .wide { display: none; }
  .narrow { display: block; }
  .filter { position: static; }
  .filter label, input { width: 100%; }
  table { overflow: hidden; }
  table, tbody, .detail, .detail td, .family, .family th { display: block; }
  thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .case { display: grid; grid-template-columns: 1fr 1fr; padding: 0.6rem 1rem; border-top: 1px solid var(--line); }
  .case > * { padding: 0; border: 0; }
  .case th { grid-column: 1 / -1; padding-bottom: 0.35rem; }
  .where { display: block; font-size: 0.8rem; color: var(--dim); }
  .columns-1 .where { display: none; }
  .detail td { padding: 0 1rem 1rem; }
  .columns-2 .ways { grid-template-columns: minmax(0, 1fr); }
}
@media print {
  body { max-width: none; padding: 0; background: none; }
  .filter, .skip-link, .copy { display: none; }
  tr, .card { break-inside: avoid; }
}
@media (forced-colors: active) {
  .mark, .chart use { fill: CanvasText; }
  .tally rect { stroke: Canvas; }
}
`;

/** CSS. */
export const STYLE: string = `${COLOURS}${PAGE}${TABLE}${NARROW}`;
