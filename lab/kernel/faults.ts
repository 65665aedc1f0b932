/**
 * Faults of AF_VSOCK that a kernel developer could make, each one text change in one function: built
 * all at once into modules in which one of them can be turned on.
 *
 * @module
 */
import { LabError, LabUsageError } from "../error.ts";
import { applyHunk, type CFunction, functionAt, renamed } from "./c_function.ts";
import { type Patch, readPatches, shortName } from "./patched.ts";

/** The folder of the faults below fixtures/kernel. */
export const FAULTS = "faults";

/** Changes when what is generated does, so that modules which were built before are not used. */
export const FORM = 1;

/** The value of the modules' parameter with which none is on. */
export const NO_FAULT = "none";

/** A fault. */
export interface Fault {
  /** By which it is turned on. */
  readonly name: string;
  /** In words. */
  readonly what: string;
  /** The changed file, from the root of the kernel's source. */
  readonly file: string;
  /** The function that is changed, as the patch's hunk names it. */
  readonly function: string;
  /** The lines that are replaced, with their surroundings, and what takes their place. */
  readonly right: string;
  readonly wrong: string;
}

/** All faults, in the order of their names. */
export async function readFaults(): Promise<Fault[]> {
  return (await readPatches(FAULTS)).map(parseFault);
}

/**
 * Looks whether there is the fault that a kernel's name asks for: `faults:<name>`.
 *
 * @throws {LabUsageError} where there is none of that name.
 */
export async function requireFault({ kernel }: { readonly kernel: string }): Promise<void> {
  const [set, fault] = kernel.split(":");
  if (set !== FAULTS || fault === undefined) return;
  const names = (await readFaults()).map(({ name }) => name);
  if (names.includes(fault)) return;
  throw new LabUsageError(`There is no fault "${fault}"; there are: ${names.join(", ")}`);
}

/**
 * Reads a fault: what it is in a paragraph, then a patch with one hunk for one file.
 *
 * @throws {LabError} where it is anything else.
 */
export function parseFault(patch: Patch): Fault {
  const refuse = (why: string) => new LabError(`fixtures/kernel/faults/${patch.name}: ${why}`);
  const begin = patch.text.search(/^--- /m);
  const [, file, body] = /^--- a\/\S+\n\+\+\+ b\/(\S+)\n(@@[^]+)$/.exec(patch.text.slice(begin)) ??
    [];
  if (file === undefined || body === undefined) throw refuse("give a patch of one file");
  const [head = "", ...lines] = body.replace(/\n$/, "").split("\n");
  if (lines.some((line) => !/^[ +-]/.test(line))) {
    throw refuse("give one hunk, and mark empty lines with a blank");
  }
  const name = /^@@ -\S+ \+\S+ @@ (\w+)$/.exec(head)?.[1];
  if (name === undefined) throw refuse("name the function behind the hunk's second @@");
  const text = (mark: string) =>
    lines.filter((line) => line[0] !== mark).map((line) => `${line.slice(1)}\n`).join("");
  const words = patch.text.slice(0, begin).trim().replaceAll(/\s+/g, " ");
  if (words === "") throw refuse("say in a paragraph before the patch what is wrong");
  return {
    name: shortName(patch),
    what: words,
    file,
    function: name,
    right: text("+"),
    wrong: text("-"),
  };
}

/** A function of a file with its faulty copies. */
interface Faulty {
  readonly at: CFunction;
  readonly copies: { readonly number: number; readonly text: string }[];
}

/**
 * A file of the kernel with every fault of it, each of which is on while the modules' parameter has
 * its number: a function that has faults becomes one that calls its right or a faulty copy.
 *
 * @param numbered the faults of this file, with their numbers.
 * @throws {LabError} where one cannot be found in it, or is in no function.
 */
export function withFaults(
  source: string,
  numbered: readonly (readonly [number, Fault])[],
): string {
  const functions = new Map<string, Faulty>();
  for (const [number, fault] of numbered) {
    const place = `the fault "${fault.name}" of ${fault.file}`;
    const { at, text } = applyHunk(source, fault, place);
    const found = functionAt(source, at, place);
    if (found.name !== fault.function) {
      throw new LabError(
        `Cannot plant ${place}: it is in ${found.name}(), not ${fault.function}()`,
      );
    }
    const grown = text.length - source.length;
    const copy = text.slice(found.begin, found.end + grown);
    const faulty = functions.get(found.name) ?? { at: found, copies: [] };
    faulty.copies.push({ number, text: renamed(copy, found.name, `${found.name}__${number}`) });
    functions.set(found.name, faulty);
  }
  let changed = source;
  const lastFirst = [...functions.values()].sort((a, b) => b.at.begin - a.at.begin);
  for (const faulty of lastFirst) {
    const { begin, end } = faulty.at;
    changed = changed.slice(0, begin) + switchText(source, faulty) + changed.slice(end);
  }
  return `extern int vsock_fault;\n${changed}`;
}

function switchText(source: string, { at, copies }: Faulty): string {
  const { name, signature, parameters } = at;
  const right = renamed(source.slice(at.begin, at.end), name, `${name}__right`);
  const call = (to: string) => `return ${name}__${to}(${parameters.join(", ")});`;
  return [
    `${signature};`,
    right,
    ...copies.map(({ text }) => text),
    signature,
    "{",
    "\tswitch (vsock_fault) {",
    ...copies.map(({ number }) => `\tcase ${number}:\n\t\t${call(`${number}`)}`),
    `\tdefault:\n\t\t${call("right")}`,
    "\t}",
    "}\n",
  ].join("\n");
}

/** What the end of af_vsock.c, of the module vsock, has besides: the parameter `fault`. */
export function parameterText(names: readonly string[]): string {
  const all = [NO_FAULT, ...names].map((name) => `\t"${name}",\n`).join("");
  return `static const char *const vsock_fault_names[] = {\n${all}};
int vsock_fault;
EXPORT_SYMBOL_GPL(vsock_fault);

static int vsock_fault_set(const char *text, const struct kernel_param *param)
{
	int found = sysfs_match_string(vsock_fault_names, text);

	if (found < 0)
		return found;
	vsock_fault = found;
	return 0;
}

static int vsock_fault_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%s\\n", vsock_fault_names[vsock_fault]);
}

static const struct kernel_param_ops vsock_fault_ops = {
	.set = vsock_fault_set,
	.get = vsock_fault_get,
};
module_param_cb(fault, &vsock_fault_ops, NULL, 0644);

`;
}

/** Where the parameter is defined, and before what. */
const PARAMETER_FILE = "net/vmw_vsock/af_vsock.c";
const BEFORE = "module_init(vsock_init);";

/**
 * Changes the source of the modules so that all faults are in them, and none on.
 *
 * @param tree the root of the source.
 * @throws {LabError} where a fault does not fit this version of it.
 */
export async function plantFaults(tree: string, faults: readonly Fault[]): Promise<void> {
  const numbered = faults.map((fault, i) => [i + 1, fault] as const);
  const byFile = Map.groupBy(numbered, ([, { file }]) => file);
  for (const [file, own] of byFile) {
    const path = `${tree}/${file}`;
    await Deno.writeTextFile(path, withFaults(await Deno.readTextFile(path), own));
  }
  const path = `${tree}/${PARAMETER_FILE}`;
  const text = await Deno.readTextFile(path);
  const names = faults.map(({ name }) => name);
  if (!text.includes(BEFORE)) throw new LabError(`${PARAMETER_FILE} has no "${BEFORE}"`);
  await Deno.writeTextFile(path, text.replace(BEFORE, () => parameterText(names) + BEFORE));
}
