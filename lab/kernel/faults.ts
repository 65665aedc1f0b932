/**
 * Faults in AF_VSOCK that a kernel developer could introduce, each a change of one function. All
 * are built into one set of modules, with a parameter that turns one of them on.
 *
 * @module
 */
import { LabError, LabUsageError } from "../error.ts";
import { applyHunk, type CFunction, functionAt, renamed } from "./c_function.ts";
import { type Patch, readPatches, shortName } from "./patched.ts";

/** The folder of the faults below fixtures/kernel. */
export const FAULTS = "faults";

/** To be incremented when the generated code changes, so that older modules are not used. */
export const FORM = 1;

/** The value of the modules' parameter that turns all faults off. */
export const NO_FAULT = "none";

/** A fault. */
export interface Fault {
  /** The value of the modules' parameter that turns it on. */
  readonly name: string;
  /** What is wrong, in words. */
  readonly what: string;
  /** The changed file, from the root of the kernel's source. */
  readonly file: string;
  /** The function that is changed, as named by the patch's hunk. */
  readonly function: string;
  /** The lines of the hunk, before and after the change. */
  readonly right: string;
  readonly wrong: string;
}

/** All faults, ordered by name. */
export async function readFaults(): Promise<Fault[]> {
  return (await readPatches(FAULTS)).map(parseFault);
}

/**
 * Checks that the fault in a kernel's name (`faults:<name>`) exists.
 *
 * @throws {LabUsageError} if it does not.
 */
export async function requireFault({ kernel }: { readonly kernel: string }): Promise<void> {
  const [set, fault] = kernel.split(":");
  if (set !== FAULTS || fault === undefined) return;
  const names = (await readFaults()).map(({ name }) => name);
  if (names.includes(fault)) return;
  throw new LabUsageError(`There is no fault "${fault}"; there are: ${names.join(", ")}`);
}

/**
 * Parses a fault: a paragraph that describes it, then a patch with one hunk for one file.
 *
 * @throws {LabError} if it is anything else.
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

/** A function with its faulty copies. */
interface Faulty {
  readonly at: CFunction;
  readonly copies: { readonly number: number; readonly text: string }[];
}

/**
 * Adds faults to a source file of the kernel. A function with faults becomes one that calls its
 * correct copy or a faulty one, depending on the number in the modules' parameter.
 *
 * @param numbered the faults in this file, with their numbers.
 * @throws {LabError} if the lines of one are not in the file, or not in a function.
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

/** The text added to af_vsock.c, in the module vsock: the parameter `fault`. */
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

/** The file that gets the parameter, and the line before which it is inserted. */
const PARAMETER_FILE = "net/vmw_vsock/af_vsock.c";
const BEFORE = "module_init(vsock_init);";

/**
 * Adds all faults to the source of the modules, turned off.
 *
 * @param tree the root of the source.
 * @throws {LabError} if a fault does not apply to this version of the source.
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
