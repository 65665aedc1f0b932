/**
 * Cases from files that the user names with `--cases`.
 *
 * @module
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { reasonOf, UsageError } from "../core/error.ts";
import { addCases } from "../suites/catalogue.ts";

/**
 * Adds the cases in files to this process's catalogue, see docs/writing_a_case.md.
 *
 * @throws {UsageError} if a file cannot be loaded, has no cases, or has one that cannot be used.
 */
export async function addCaseFiles(paths: readonly string[] = []): Promise<void> {
  for (const path of paths) {
    const { cases } = await load(path);
    if (!Array.isArray(cases) || cases.length === 0) {
      throw new UsageError(
        `${path} exports no cases: it must have "export const cases = [defineCase({ ... })]"`,
      );
    }
    try {
      addCases(cases);
    } catch (error) {
      throw new UsageError(`Cannot use the cases of ${path}: ${reasonOf(error)}`);
    }
  }
}

async function load(path: string): Promise<{ readonly cases?: unknown }> {
  const { isFile } = await Deno.stat(path).catch((error) => {
    throw new UsageError(`Cannot read the cases ${path}: ${reasonOf(error)}`);
  });
  if (!isFile) throw new UsageError(`Cannot read the cases ${path}: it is not a file`);
  try {
    return await import(pathToFileURL(resolve(path)).href);
  } catch (error) {
    throw new UsageError(`Cannot load the cases of ${path}: ${reasonOf(error)}${hint(error)}`);
  }
}

/** A hint for errors that are not due to the file's text. */
function hint(error: unknown): string {
  const isKit = reasonOf(error).includes("@vsock/conformance");
  return isKit
    ? "\nThe bundle cannot load cases; make one that has them: deno run -A tools/bundle.ts --cases <file>"
    : "";
}
