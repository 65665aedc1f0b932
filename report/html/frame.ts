/**
 * What every page has: its head, and a policy by which only its own style and script may act.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { marks } from "./marks.ts";
import { Markup, markup } from "../markup.ts";

/** What a document consists of. */
export interface DocumentParts {
  /** What the browser's tab says. */
  readonly title: string;
  readonly style: string;
  readonly script?: string;
  readonly body: Markup;
}

/** The parts of a page. */
export interface PageParts extends DocumentParts {
  readonly script: string;
  /** Where the link that skips the beginning leads: an id in the body, and what is there. */
  readonly main: { readonly id: string; readonly name: string };
}

/** A page that needs no other file, with the marks of verdicts. */
export function pageText({ title, main, body, ...parts }: PageParts): string {
  return documentText({
    ...parts,
    title: `${title} · vsock-conformance`,
    body: markup`${marks()}
<a class="skip-link" href="#${main.id}">Skip to ${main.name}</a>
${body}`,
  });
}

/** An HTML document that needs no other file. */
export function documentText({ title, style, script, body }: DocumentParts): string {
  const acting = script === undefined ? "" : `; script-src '${hashOf(script)}'`;
  const policy = `default-src 'none'; style-src '${hashOf(style)}'${acting}`;
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
${body}
${script === undefined ? "" : markup`<script>${new Markup(script)}</script>\n`}</body>
</html>
`.text;
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
