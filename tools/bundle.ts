/**
 * Makes dist/vsock-conformance.js: the tool as one file, for machines without network.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { bundle, bundleWithCases } from "../lab/image/bundle.ts";
import { toolCommand } from "./command.ts";

const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const several = (path: string, before: string[] = []) => [...before, path];
const { cases } = toolCommand("bundle", "makes dist/vsock-conformance.js, the tool as one file")
  .option("--cases <file>", "put the cases in this file into it; may be given again", several)
  .parse(Deno.args, { from: "user" }).opts();
const into = `${root}/dist/vsock-conformance.js`;
await Deno.mkdir(`${root}/dist`, { recursive: true });
if (cases === undefined) await bundle(root, into, "cli.ts");
else await Deno.writeFile(into, await bundleWithCases(root, cases));
await Deno.stdout.write(new TextEncoder().encode("dist/vsock-conformance.js\n"));
