/**
 * The command `perf compare`: measures vsock-conformance and C programs in turn, on this machine
 * over AF_UNIX or in VMs booted by the lab.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { EXIT } from "../core/outcome.ts";
import type { Topology } from "../core/plan.ts";
import { reasonOf } from "../core/error.ts";
import { VERSION } from "../core/version.ts";
import type { CpioEntry } from "../lab/image/cpio.ts";
import { type ArchTraits, archTraits, ownArch } from "../lab/arch.ts";
import { perfPrograms } from "../lab/c_programs/perf.ts";
import { C_FOLDER, cPrograms } from "../lab/c_programs/kernel_tests.ts";
import { LabError } from "../lab/error.ts";
import {
  endServerIn,
  isListening,
  type Pair,
  runPair,
  type ScriptRunner,
} from "../lab/script_pair.ts";
import { Progress } from "../lab/progress.ts";
import { RetryingLab } from "../lab/retry.ts";
import { WorkFolder } from "../lab/host/work_folder.ts";
import { runScript, type ScriptResult } from "../lab/vm/shell.ts";
import { comparisonHtml, comparisonSvg } from "../perf/chart.ts";
import {
  type Amounts,
  compare,
  NoFigureError,
  type RunPrograms,
  type Setting,
} from "../perf/compare.ts";
import { type Comparison, comparisonJson, comparisonText } from "../perf/comparison.ts";
import { type BootOptions, longRunOptions, requireVms } from "./options/vm.ts";
import { OutputFile } from "./output_file.ts";
import { screenOf } from "../report/screen.ts";
import { GUEST_CID, hasGuest, type LabVm } from "../lab/layout.ts";
import { withTimeout } from "./signals.ts";
import { startLab } from "../lab/lab.ts";

/** Options of `perf compare`. */
export interface CompareOptions extends Omit<BootOptions, "topology"> {
  /** `unix` means AF_UNIX on this machine. */
  readonly topology: Topology | "unix";
  readonly rounds: number;
  readonly bytes?: number;
  readonly requests?: number;
  readonly json?: true;
  readonly chart?: string;
}

/** The amounts to be measured, on this machine and in an emulated VM. */
const AMOUNTS = {
  unix: { bytes: 16 * 1024 ** 3, requests: 200_000, warmup: 20_000 },
  vm: { bytes: 512 * 1024 ** 2, requests: 4000, warmup: 4000 },
} as const;
/** The target for p50 of a round trip, as a multiple of the C program's. */
const MAX_ROUND_TRIP = { unix: 1.25, vm: 1.5 } as const;

/** Measures vsock-conformance and the C programs, and shows both. */
export async function perfCompare(options: CompareOptions): Promise<number> {
  if (options.topology !== "unix") await requireVms(options);
  return await withTimeout(options.timeout, async (stop) => {
    const progress = new Progress(screenOf(Deno.stderr), stop);
    const { chart = "" } = options;
    // Opened first, so that an unwritable file is reported before the measurements.
    using file = chart === "" ? undefined : await OutputFile.open(chart, "chart", "");
    const { comparison, failure } = options.topology === "unix"
      ? await compareHere(options, progress, stop)
      : await compareInVm(options, options.topology, progress, stop);
    if (comparison.rows.length === 0) throw failure;
    const text = options.json ? comparisonJson(comparison) : comparisonText(comparison);
    screenOf(Deno.stdout).write(text);
    await file?.write((chart.endsWith(".svg") ? comparisonSvg : comparisonHtml)(comparison));
    if (failure !== undefined) throw failure;
    return EXIT.ok;
  });
}

/** A comparison, and the error that ended it early, if one did. */
interface Made {
  readonly comparison: Comparison;
  readonly failure?: unknown;
}

async function compareHere(
  options: CompareOptions,
  progress: Progress,
  stop: AbortSignal,
): Promise<Made> {
  const arch = ownArch();
  const programs = await perfPrograms(arch, progress);
  await using folder = await WorkFolder.make("compare");
  try {
    const shell: ScriptRunner = (script) => runHere(script, stop);
    const pair = { server: shell, client: shell };
    const cli = fileURLToPath(new URL("../cli.ts", import.meta.url));
    const setting: Setting = {
      ours: `"${Deno.execPath()}" run -A --no-check "${cli}"`,
      c: { stream: `${programs}/stream`, pingpong: `${programs}/pingpong` },
      where: { standIn: `compare-${Deno.pid}` },
    };
    const what = about("AF_UNIX", "fixtures/perf");
    const both: RunPrograms = (commands) => runBoth(arch, pair, commands, folder.path);
    return await make(what, options, setting, both, progress);
  } finally {
    await endServerIn(folder.path);
  }
}

async function compareInVm(
  options: CompareOptions,
  topology: Topology,
  progress: Progress,
  stop: AbortSignal,
): Promise<Made> {
  const plain = await longRunOptions({ ...options, topology });
  const arch = archTraits(plain.arch);
  const { source, files } = await cPrograms(arch, progress);
  const pingpong = await Deno.readFile(`${await perfPrograms(arch, progress)}/pingpong`);
  const own: CpioEntry = { path: `${C_FOLDER}/pingpong`, data: pingpong, executable: true };
  const what = { ...plain, files: [...files, own] };
  await using labs = new RetryingLab(() => startLab(what, progress), progress);
  const { address, kernel } = await labs.run("the start", options.timeout, async (lab, signal) => {
    using ends = await lab.connect(signal);
    return { address: lab.address, kernel: ends.host.facts.kernel };
  }, stop);
  const setting: Setting = {
    ours: "deno run -A /app/vsock-conformance.js",
    c: { stream: `/${C_FOLDER}/vsock_perf`, pingpong: `/${C_FOLDER}/pingpong` },
    where: { cid: hasGuest(topology) ? GUEST_CID : 1 },
  };
  // A figure from a lab that is then lost does not count; the others are kept.
  const programs: RunPrograms = (commands) =>
    labs.run("the comparison", options.timeout, ({ address }, signal) => {
      const { vms: [host, guest = host] } = address;
      const shell = (vm: LabVm): ScriptRunner => (script) => runScript(vm.shell, script, signal);
      // The guest accepts, since a host can connect to its CID.
      const pair = { server: shell(guest), client: shell(host) };
      return runBoth(arch, pair, commands, "/tmp");
    }, stop);
  const how = { kvm: "KVM", tcg: "emulated (TCG)", "tcg-single": "emulated (TCG), one thread" };
  const head = {
    ...about(`AF_VSOCK, ${topology}`, `${source}, and fixtures/perf for round trips`),
    vm: `Linux ${kernel}, ${address.arch}, ${how[address.accelerator]}`,
  };
  return await make(head, options, setting, programs, progress);
}

/** Measures; if it is interrupted or fails, the figures so far are kept. */
async function make(
  what: Omit<Comparison, "rows">,
  options: CompareOptions,
  setting: Setting,
  programs: RunPrograms,
  progress: Progress,
): Promise<Made> {
  const place = options.topology === "unix" ? "unix" : "vm";
  const { bytes = AMOUNTS[place].bytes, requests = AMOUNTS[place].requests, rounds } = options;
  const amounts: Amounts = { bytes, requests, rounds, warmup: AMOUNTS[place].warmup };
  const log = (text: string) => progress.log(text);
  const maximum = MAX_ROUND_TRIP[place];
  const { rows, failure } = await compare(setting, amounts, maximum, programs, log);
  if (failure === undefined) return { comparison: { ...what, rows } };
  const cutShort = reasonOf(failure).split("\n")[0] ?? "";
  return {
    comparison: { ...what, cutShort, rows },
    failure: failure instanceof NoFigureError ? new LabError(failure.message) : failure,
  };
}

/** Runs two programs in their shells, and returns their output. */
async function runBoth(
  arch: ArchTraits,
  shells: Pair<ScriptRunner>,
  commands: Pair<string>,
  folder: string,
): Promise<Pair<string>> {
  const { server, client } = await runPair(shells, commands, {
    folder,
    isListening: isListening(arch),
  });
  return { server: server.output, client: client.output };
}

function about(over: string, c: string) {
  return {
    tool: VERSION,
    startedAt: new Date().toISOString(),
    over,
    machine: `${navigator.hardwareConcurrency} processors, Linux ${Deno.osRelease()} ` +
      `${Deno.build.arch}, Deno ${Deno.version.deno}`,
    c,
  };
}

/** Runs a script in a shell on this machine. */
async function runHere(script: string, signal: AbortSignal): Promise<ScriptResult> {
  const command = new Deno.Command("/bin/sh", {
    args: ["-c", `exec 2>&1\n${script}`],
    stdin: "null",
    stderr: "null",
    env: { NO_COLOR: "1" },
    signal,
  });
  const { code, stdout } = await command.output();
  signal.throwIfAborted();
  return { output: new TextDecoder().decode(stdout), status: code };
}
