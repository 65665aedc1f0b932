/**
 * Makes docs/run-report.schema.json, the form of a report for readers in other languages.
 *
 * @module
 */
import { schemaText } from "../report/schema.ts";

const root = new URL("..", import.meta.url).pathname;
await Deno.writeTextFile(`${root}docs/run-report.schema.json`, schemaText());
