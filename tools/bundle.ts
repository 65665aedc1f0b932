/**
 * Makes dist/vsock-conformance.js: the tool as one file, for machines without network.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { bundle } from "../lab/image/bundle.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
await Deno.mkdir(`${root}dist`, { recursive: true });
await bundle(root, `${root}dist/vsock-conformance.js`);
await Deno.stdout.write(new TextEncoder().encode("dist/vsock-conformance.js\n"));
