/**
 * Makes docs/run-report.schema.json, the form of a report for readers in other languages.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { schemaText } from "../report/schema.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
await Deno.writeTextFile(`${root}docs/run-report.schema.json`, schemaText());
