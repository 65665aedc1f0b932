/**
 * The package as `deno publish` packs it: its entries, their documentation and examples, and whether
 * it runs without the rest of the repository.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** An entry of the package. */
export interface Entry {
  /** As it is imported, such as `@vsock/conformance/kit`. */
  readonly name: string;
  /** Its file, from the root of the repository. */
  readonly path: string;
}

/** The entries that deno.json exports. */
export async function packageEntries(): Promise<Entry[]> {
  const { name, exports } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  return Object.entries<string>(exports).map(([entry, path]) => ({
    name: name + entry.slice(1),
    path: path.slice(2),
  }));
}

/** The example programs in a module's doc comment, each as its text. */
export function examplesOf(text: string): string[] {
  const [comment = ""] = /^\/\*\*[^]*?\*\//.exec(text) ?? [];
  const lines = comment.replace(/^ \* ?/gm, "");
  return [...lines.matchAll(/```ts\n([^]*?)```/g)].map(([, code = ""]) => code);
}

/** How a Deno process ended, and what it wrote. */
interface Ended {
  readonly success: boolean;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long a program may take, in milliseconds. */
const LIMIT = 300_000;

/** Runs Deno to its end in a folder. */
export async function runDeno(args: readonly string[], cwd: string = ROOT): Promise<Ended> {
  const signal = AbortSignal.timeout(LIMIT);
  const env = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
  const command = new Deno.Command(Deno.execPath(), { args: [...args], cwd, env, signal });
  const { success, code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { success, code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/**
 * What the documentation of the entries lacks, as lines. A type that only a signature names need not
 * be exported, and constants go by the comment above their group.
 *
 * @param files other files to look at.
 */
export async function undocumented(files?: readonly string[]): Promise<string[]> {
  const paths = files ?? (await packageEntries()).map(({ path }) => path);
  const { success, stderr } = await runDeno(["doc", "--quiet", "--lint", ...paths]);
  const found = [...stderr.matchAll(/^error\[([^\]]+)\]: (.*)\n\s*--> (\S+)/gm)];
  // What is not understood must not pass for nothing.
  if (!success && found.length === 0) return [stderr];
  return found
    .filter(([, kind, , place = ""]) =>
      kind !== "private-type-ref" && !/\/sys\/(constants|sock_diag|io_uring_abi)\.ts:/.test(place)
    )
    .map(([, , message, place = ""]) => `${place.replace(`${ROOT}/`, "")}: ${message}`);
}

/** The files that `deno publish` would upload, from the root of the repository. */
async function packedFiles(): Promise<string[]> {
  const publish = ["publish", "--dry-run", "--allow-dirty", "--no-check"];
  const { success, stdout, stderr } = await runDeno(publish);
  if (!success) throw new Error(`deno publish --dry-run failed:\n${stderr}`);
  const listed = [...`${stdout}${stderr}`.matchAll(/^\s+file:\/\/(\S+) \([\d.]+\w+\)$/gm)];
  const files = listed.map(([, path = ""]) => path.slice(ROOT.length + 1));
  // The root of a worktree has a file of that name, which belongs to git.
  return files.filter((path) => path !== ".git");
}

/** What does not work in the package, unpacked without the rest of the repository, as lines. */
export async function brokenInPackage(): Promise<string[]> {
  const files = await packedFiles();
  const entries = await packageEntries();
  const missing = [...entries.map(({ path }) => path), "deno.json", "README.md"]
    .filter((path) => !files.includes(path));
  if (missing.length > 0) return missing.map((path) => `the package lacks ${path}`);
  const folder = await Deno.makeTempDir({ prefix: "vsock-package-" });
  try {
    for (const path of files) {
      const into = `${folder}/${path}`;
      await Deno.mkdir(into.slice(0, into.lastIndexOf("/")), { recursive: true });
      await Deno.copyFile(`${ROOT}/${path}`, into);
    }
    return [...await brokenCommands(folder), ...await brokenEntries(folder, entries)];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Commands that load most of the tool without running a case. */
const COMMANDS = [["--help"], ["list", "--json"], ["explain", "**"], ["lab", "--help"]];

async function brokenCommands(folder: string): Promise<string[]> {
  const broken: string[] = [];
  for (const args of COMMANDS) {
    const { success, stdout, stderr } = await runDeno(["run", "-A", "./cli.ts", ...args], folder);
    if (!success || stdout === "") {
      broken.push(`cli.ts ${args.join(" ")} in the package: ${stderr}`);
    }
  }
  return broken;
}

async function brokenEntries(folder: string, entries: readonly Entry[]): Promise<string[]> {
  const program = `${folder}/import_all.ts`;
  const lines = entries.map(({ name }) =>
    `console.log(Object.keys(await import("${name}")).length)`
  );
  await Deno.writeTextFile(program, lines.join("\n"));
  const { success, stdout, stderr } = await runDeno(["run", "-A", program], folder);
  const counts = stdout.trim().split("\n").map(Number);
  if (!success) return [`importing the package's entries: ${stderr}`];
  return entries.filter((_, i) => !(Number(counts[i]) > 0)).map(({ name }) => `${name} is empty`);
}
