/**
 * What every page has: its head, and a policy by which only its own style and script may act.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { marks } from "./marks.ts";
import { Markup, markup } from "../markup.ts";

/** The parts of a page. */
export interface PageParts {
  /** What the browser's tab says. */
  readonly title: string;
  readonly style: string;
  readonly script: string;
  /** Where the link that skips the beginning leads: an id in the body, and what is there. */
  readonly main: { readonly id: string; readonly name: string };
  readonly body: Markup;
}

/** A page that needs no other file. */
export function pageText({ title, style, script, main, body }: PageParts): string {
  const policy = `default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'`;
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title} · vsock-conformance</title>
<style>${new Markup(style)}</style>
</head>
<body>
${marks()}
<a class="skip-link" href="#${main.id}">Skip to ${main.name}</a>
${body}
<script>${new Markup(script)}</script>
</body>
</html>
`.text;
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
