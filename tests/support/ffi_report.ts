/**
 * A program: the shortest that a public report says crashes the engine on arm64 in one of many
 * processes. Written anew; it calls free(NULL), which does nothing.
 *
 * @module
 */
import { openLibc } from "../../sys/libc.ts";

const { free } = openLibc({ free: { parameters: ["pointer"], result: "void" } }).symbols;
const choices = Array.from({ length: 10_000 }, (_, i) => i < 1000);
for (const isCalled of choices) {
  if (isCalled) free(null);
}
