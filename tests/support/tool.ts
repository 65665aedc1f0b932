/**
 * The tool as users start it: a process, its output, its exit code.
 *
 * @module
 */
import { until as untilFound } from "../../core/wait.ts";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { FORBID_VSOCK } from "../../sys/forbidden.ts";

const CLI = fileURLToPath(new URL("../../cli.ts", import.meta.url));
/** How long anything that a test waits for may take, in milliseconds: only what hangs takes that. */
const PATIENCE = 120_000;
/** How long after its end the rest of its output may take to be read, in milliseconds. */
const REST = 20_000;
/** How long after each other a test looks whether something is so, in milliseconds. */
const PAUSE = 10;

/** How the tool is started. */
export interface ToolOptions {
  readonly permissions?: readonly string[];
  /** How long anything may take, in milliseconds. */
  readonly patience?: number;
  /** What is piped in. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A program that is given the command, as nohup(1) is. */
  readonly through?: string;
}

/** How a process ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the tool as a process whose output nobody takes yet. */
export function startTool(args: readonly string[], options: ToolOptions = {}): Deno.ChildProcess {
  const { permissions = ["-A"], input, env = {}, through } = options;
  const command = ["run", "--no-prompt", "--no-check", ...permissions, CLI, ...args];
  const program = Deno.execPath();
  return new Deno.Command(through ?? program, {
    args: through === undefined ? command : [program, ...command],
    env: { [FORBID_VSOCK]: "1", NO_COLOR: "1", ...env },
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** A running tool; killed when disposed of, if it still runs. */
export class Tool implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Promise<string>;
  readonly #stderr: Promise<string>;
  readonly #patience: number;
  #errors = "";
  #isSilent = false;
  #heard = Promise.withResolvers<void>();

  constructor(args: readonly string[], options: ToolOptions = {}) {
    const { patience = PATIENCE, input } = options;
    this.#patience = patience;
    this.#child = startTool(args, options);
    if (input !== undefined) new Response(input).body?.pipeTo(this.#child.stdin);
    this.#stdout = new Response(this.#child.stdout).text();
    this.#stderr = this.#readErrors();
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Waits until standard error matches, and gives the match; fails where it ends before. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const late = AbortSignal.timeout(this.#patience);
    for (;;) {
      const isLast = this.#isSilent || late.aborted;
      const match = pattern.exec(this.#errors);
      if (match !== null) return match;
      assert.ok(!isLast, `it did not say ${pattern}: ${this.#errors}`);
      await Promise.race([
        this.#heard.promise,
        new Promise((resolve) => late.addEventListener("abort", resolve, { once: true })),
      ]);
    }
  }

  /** Sends a signal, as Ctrl-C does. */
  interrupt(signal: Deno.Signal = "SIGINT"): void {
    this.#child.kill(signal);
  }

  /** Waits for its end. */
  async ended(): Promise<Ended> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), this.#patience);
    const { code } = await this.#child.status;
    clearTimeout(timer);
    const output = Promise.all([this.#stdout, this.#stderr]);
    const late = AbortSignal.timeout(Math.min(REST, this.#patience));
    const over = new Promise<never>((_, reject) =>
      late.addEventListener("abort", () => reject(new Error(`it left a process: ${this.#errors}`)))
    );
    const [stdout, stderr] = await Promise.race([output, over]);
    return { code, stdout, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    // What it left has been said, if anybody waited for its end.
    await this.ended().catch(() => {});
  }

  async #readErrors(): Promise<string> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#errors += text;
      this.#heard.resolve();
      this.#heard = Promise.withResolvers<void>();
    }
    this.#isSilent = true;
    this.#heard.resolve();
    return this.#errors;
  }
}

/** Runs the tool to its end. */
export async function runTool(
  args: readonly string[],
  options: ToolOptions = {},
): Promise<Ended> {
  await using tool = new Tool(args, options);
  return await tool.ended();
}

/** Starts an agent on a port of the system's choice, and gives its address. */
export async function startAgent(
  ...args: string[]
): Promise<{ tool: Tool; address: string }> {
  const tool = new Tool(["agent", "--peer-cid", "1", "--listen", "127.0.0.1:0", ...args]);
  const [, address = ""] = await tool.says(/listening on (\S+)/);
  return { tool, address };
}

/** Waits until something is so, and fails with what it is called where it never is. */
export async function until(
  holds: () => Promise<boolean> | boolean,
  otherwise: string,
): Promise<void> {
  assert.ok(await untilFound(holds, { timeout: PATIENCE, pause: PAUSE }), otherwise);
}

/** Waits until a process of an agent's is at a step, by what it writes down for its successor. */
export async function isAtStep(pid: number, step: RegExp): Promise<void> {
  const line = (await Deno.readTextFile(`/proc/${pid}/cmdline`)).split("\0");
  const path = line[line.indexOf("--crash-journal") + 1] ?? assert.fail("it writes nothing down");
  await until(async () => step.test(await Deno.readTextFile(path)), `it never came to ${step}`);
}

/** Whether a process is there. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    await Deno.stat(`/proc/${pid}`);
    return true;
  } catch {
    return false;
  }
}

/** The processes that a process started and that are still there. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`).catch(() => "");
  return text.split(" ").filter((word) => word !== "").map(Number);
}
