/**
 * Checks which folder imports from which, and that no files import each other in a circle. The rule
 * is the table below; docs/architecture.md says what it is for.
 *
 * @module
 */

/**
 * What each folder may import from besides itself: folders, or single files. A folder below another
 * one that has a line of its own here is a folder like any other.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "core": [],
  "sys": [],
  "wire": ["sys"],
  "control": ["core"],
  "runner": ["core", "control"],
  "kit": ["core", "control", "explore", "sys", "wire"],
  "suites": ["kit"],
  "agent": ["core", "control", "kit", "suites", "sys", "report/screen.ts"],
  "model": ["core"],
  "explore": ["core", "control", "model"],
  "report": ["core", "report/html", "report/matrix"],
  "report/html": ["core", "report"],
  "report/matrix": ["core", "report", "report/html"],
  "perf": ["report", "sys"],
  "gcov": ["control", "core", "lab", "lab/host", "lab/kernel", "report", "report/html", "runner"],
  "lab": [
    ...["core", "control", "runner", "report/screen.ts"],
    ...["lab/host", "lab/image", "lab/kernel", "lab/vm"],
  ],
  "lab/host": ["core", "lab/arch.ts", "lab/error.ts", "lab/progress.ts"],
  "lab/kernel": ["core", "lab/arch.ts", "lab/error.ts", "lab/progress.ts", "lab/host"],
  "lab/vm": [
    ...["core", "control", "report/screen.ts"],
    ...["lab/arch.ts", "lab/error.ts", "lab/layout.ts", "lab/types.ts", "lab/host"],
  ],
  "lab/image": [
    "core",
    ...["lab/arch.ts", "lab/error.ts", "lab/layout.ts", "lab/progress.ts", "lab/token.ts"],
    ...["lab/types.ts", "lab/host", "lab/kernel", "lab/vm"],
  ],
  "lab/c_programs": [
    ...["lab/arch.ts", "lab/error.ts", "lab/progress.ts"],
    ...["lab/host", "lab/image", "lab/kernel"],
  ],
  "interop": ["core", "lab", "lab/c_programs", "lab/vm"],
  "cli": [
    ...["agent", "cli/completions", "cli/options", "control", "core", "explore", "interop"],
    ...[
      "gcov",
      "kit",
      "lab",
      "lab/c_programs",
      "lab/host",
      "lab/image",
      "lab/kernel",
      "lab/vm",
      "model",
      "perf",
      "report",
      "report/matrix",
    ],
    ...["runner", "suites", "sys"],
  ],
  "cli/options": [
    ...["agent", "control", "core", "lab", "lab/kernel", "report", "sys"],
  ],
  "cli/completions": ["cli/options", "core", "report", "suites"],
};

/** What a single file may import from besides what its folder may. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  // The lists of upstream's programs, and the catalogue, are of cases and no cases.
  "suites/upstream.ts": ["core"],
};

/** The sources, and what each imports. */
type Imports = ReadonlyMap<string, readonly string[]>;

/** What is wrong with the imports below a folder, as lines of text. */
export async function wrongImports(root: string): Promise<string[]> {
  const imports = await importsBelow(root);
  const commands = await commandsOf(root);
  return [
    ...wrongArrows(imports),
    ...importedCommands(imports, commands),
    ...circles(imports),
    ...idleRules(imports),
  ];
}

async function importsBelow(root: string): Promise<Imports> {
  const imports = new Map<string, string[]>();
  for (const folder of Object.keys(MAY_IMPORT).filter((name) => !name.includes("/"))) {
    for await (const path of sourcesBelow(root, folder)) {
      const text = await Deno.readTextFile(`${root}/${path}`);
      const found = text.matchAll(/from\s+"(\.[^"]+)"|import\("(\.[^"]+)"\)/g);
      const targets = [...found].map(([, plain, dynamic]) =>
        targetOf(path, plain ?? dynamic ?? "")
      );
      imports.set(path, targets);
    }
  }
  return imports;
}

function targetOf(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

/** The folder of a file: the innermost one that has a rule. */
function folderOf(path: string): string {
  const parts = path.split("/").slice(0, -1);
  while (parts.length > 1 && !(parts.join("/") in MAY_IMPORT)) parts.pop();
  return parts.join("/");
}

/** Imports that the table does not allow, and those of one family of cases from another. */
function wrongArrows(imports: Imports): string[] {
  const wrong: string[] = [];
  for (const [path, targets] of imports) {
    const folder = folderOf(path);
    const allowed = [folder, ...MAY_IMPORT[folder] ?? [], ...FILES[path] ?? []];
    for (const target of targets) {
      const fits = allowed.includes(folderOf(target)) || allowed.includes(target);
      if (!fits || !isOwnFamily(path, target)) wrong.push(`${path} imports ${target}`);
    }
  }
  return wrong;
}

/** The files of commands: what cli/program*.ts loads when a command is called. */
async function commandsOf(root: string): Promise<ReadonlySet<string>> {
  const commands = new Set<string>();
  for await (const path of sourcesBelow(root, "cli")) {
    if (!isProgram(path)) continue;
    const text = await Deno.readTextFile(`${root}/${path}`);
    for (const [, target = ""] of text.matchAll(/import\("(\.[^"]+)"\)/g)) {
      commands.add(targetOf(path, target));
    }
  }
  return commands;
}

function isProgram(path: string): boolean {
  return /^cli\/program\w*\.ts$/.test(path);
}

/** Commands that another file than cli/program*.ts imports: what several need lies elsewhere. */
function importedCommands(imports: Imports, commands: ReadonlySet<string>): string[] {
  if (commands.size === 0) return ["tools/imports.ts: cli/program*.ts loads no command"];
  return [...imports].filter(([path]) => !isProgram(path)).flatMap(([path, targets]) =>
    targets.filter((target) => commands.has(target))
      .map((target) => `${path} imports the command ${target}`)
  );
}

/** Whether a case's file, `suites/<family>/<file>`, imports from its own family or what all share. */
function isOwnFamily(path: string, target: string): boolean {
  const [top, family = "", file] = path.split("/");
  const [into, other] = target.split("/");
  if (top !== "suites" || into !== "suites" || file === undefined) return true;
  return other === family || other === "_shared";
}

/** Each circle of imports once, as a line. */
function circles(imports: Imports): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push(`a circle: ${[...trail.slice(at), path].join(" -> ")}`);
    if (at >= 0 || done.has(path)) return;
    for (const target of imports.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  return found;
}

/** Lines of the tables that nothing needs any more. */
function idleRules(imports: Imports): string[] {
  const idle: string[] = [];
  for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
    const targets = [...imports].filter(([path]) => folderOf(path) === folder).flatMap(([, to]) =>
      to
    );
    const isUsed = (name: string) => targets.some((to) => to === name || folderOf(to) === name);
    const unused = allowed.filter((name) => !isUsed(name));
    idle.push(...unused.map((name) => `tools/imports.ts: ${folder} need not import ${name}`));
  }
  for (const [path, allowed] of Object.entries(FILES)) {
    const targets = (imports.get(path) ?? []).map(folderOf);
    const unused = allowed.filter((name) => !targets.includes(name));
    idle.push(...unused.map((name) => `tools/imports.ts: ${path} need not import ${name}`));
  }
  return idle;
}

async function* sourcesBelow(root: string, folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(`${root}/${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sourcesBelow(root, path);
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) yield path;
  }
}
