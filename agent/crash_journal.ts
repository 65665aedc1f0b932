/**
 * The crash journal: what an agent's process needs that takes the place of one that died. Where that
 * one listened, whose run it took part in, and the sides of cases that it did not live to report on.
 * It is memory that a file backs, so that every step is in it before it is taken, whatever then ends
 * the process.
 *
 * @module
 */
import type { SideReport } from "../core/outcome.ts";
import type { Splat } from "../core/splat.ts";
import type { Harm } from "../core/taint.ts";
import type { RecoveredReport, SideOrder, SideRunner } from "./session.ts";
import { MAX_SIDES } from "./session.ts";
import { MAX_TIME } from "../control/wire.ts";
import { O_RDWR } from "../sys/constants.ts";
import { openFile } from "../sys/descriptor.ts";
import { MonotonicClock } from "../sys/libc_fast.ts";
import { Mapping } from "../sys/memory.ts";
import { call } from "../sys/libc.ts";
import type { Settings } from "./left_settings.ts";
import { killUnlessDone } from "../sys/timer.ts";
import type { KernelRecord } from "./kernel_log_watch.ts";

/** Bytes of a text in the file, its length in front included. */
const FIELD = 1024;
/** Two texts for each side, behind the one for the process: what it is, and what it does. */
const SIZE = FIELD * (1 + 2 * MAX_SIDES);
/** How long a process may take beyond a side's deadline to end it, in milliseconds. */
const KILL_TIME = 2500;

let clock: MonotonicClock | undefined;

/**
 * In milliseconds: the same for all processes of a machine, and never set, unlike the time of day,
 * which a restored VM is told anew.
 */
function now(): number {
  return (clock ??= new MonotonicClock()).now() / 1e6;
}

/** What is written down of a process. */
interface ProcessRecord {
  readonly port?: number;
  readonly session?: string;
  /** What it knew of the kernel when a side began. */
  readonly kernel?: KernelRecord;
  /** What the machine's settings were before the first case. */
  readonly settings?: Settings;
}

/** What is written down of a side that runs. */
interface SideRecord {
  readonly run: number;
  /** When it began, by {@linkcode now}. */
  readonly begun: number;
  /** Its deadline, in milliseconds. */
  readonly timeout: number;
}

/** The journal of the previous process. */
export interface PreviousProcess extends ProcessRecord {
  readonly sides: readonly (SideRecord & { readonly step: string })[];
}

/** A text in the file. */
class Field {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #length: DataView;
  static readonly #encoder = new TextEncoder();

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes.subarray(4);
    this.#length = new DataView(bytes.buffer, bytes.byteOffset, 4);
  }

  /** Writes a text, or as much of it as there is room for. Half of one is never read. */
  set text(text: string) {
    this.#length.setUint32(0, 0);
    const { written } = Field.#encoder.encodeInto(text, this.#bytes);
    // Nothing of an earlier one is left for whoever only looks into the file.
    this.#bytes.fill(0, written);
    this.#length.setUint32(0, written);
  }

  get text(): string {
    const length = Math.min(this.#length.getUint32(0), this.#bytes.length);
    return new TextDecoder().decode(this.#bytes.slice(0, length));
  }
}

/** The journal of this process; first it reads that of the previous one. */
export class CrashJournal implements Disposable {
  /** What the previous process wrote; undefined where there was none. */
  readonly previous: PreviousProcess | undefined;
  readonly #memory: Mapping;
  readonly #process: Field;
  readonly #free: number[] = Array.from({ length: MAX_SIDES }, (_, i) => i);
  #record: ProcessRecord = {};

  private constructor(memory: Mapping, previous: PreviousProcess | undefined) {
    this.previous = previous;
    this.#memory = memory;
    this.#process = new Field(memory.bytes(0, FIELD));
  }

  /**
   * Opens a file, which is created if missing.
   *
   * @throws {SysError} EACCES, ENOSPC, ...
   */
  static open(path: string): CrashJournal {
    const previous = readPrevious(path);
    Deno.writeFileSync(path, new Uint8Array(SIZE));
    const fd = openFile(path, O_RDWR);
    try {
      return new CrashJournal(new Mapping(SIZE, { shared: { fd, offset: 0 } }), previous);
    } finally {
      call("close", fd);
    }
  }

  /** Writes down what is known of this process. */
  note(record: ProcessRecord): void {
    this.#record = { ...this.#record, ...record };
    this.#process.text = JSON.stringify(this.#record);
  }

  /** A runner whose sides are written down, step by step. */
  around(runSide: SideRunner): SideRunner {
    return async (order: SideOrder): Promise<SideReport> => {
      const slot = this.#free.pop();
      if (slot === undefined) throw new Error("more sides at once than can be written down");
      const [what, step] = this.#fields(slot);
      const { run, timeout, onStep } = order;
      step.text = "";
      what.text = JSON.stringify({ run, timeout, begun: now() } satisfies SideRecord);
      try {
        return await runSide({
          ...order,
          onStep: (text) => {
            step.text = text;
            onStep(text);
          },
        });
      } finally {
        what.text = "";
        step.text = "";
        this.#free.push(slot);
      }
    };
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }

  #fields(slot: number): [Field, Field] {
    const at = FIELD * (1 + 2 * slot);
    const field = (from: number) => new Field(this.#memory.bytes(from, FIELD));
    return [field(at), field(at + FIELD)];
  }
}

/** A runner whose process is killed if a side hangs and nothing else can end it. */
export function killedWhenLate(runSide: SideRunner): SideRunner {
  return async (order) => {
    using _deadline = killUnlessDone(order.timeout + KILL_TIME);
    return await runSide(order);
  };
}

/** What a file says; undefined if there is none, or it has another form. */
function readPrevious(path: string): PreviousProcess | undefined {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  if (bytes.length !== SIZE) return undefined;
  const texts = Array.from(
    { length: SIZE / FIELD },
    (_, i) => new Field(bytes.subarray(FIELD * i, FIELD * (i + 1))).text,
  );
  const [own = "", ...rest] = texts;
  // It had not begun to listen, or there was no previous process.
  if (own === "") return undefined;
  try {
    const sides = Array.from({ length: MAX_SIDES }, (_, slot) => {
      const [what = "", step = ""] = rest.slice(2 * slot);
      return what === "" ? [] : [{ ...JSON.parse(what) as SideRecord, step }];
    });
    return { ...JSON.parse(own) as ProcessRecord, sides: sides.flat() };
  } catch (error) {
    // It is cut short, or another program's.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * The reports on the sides that were under way in the previous process.
 *
 * @param how it ended: `SIGKILL`, `exit code 1`.
 * @param kernel what its kernel reported meanwhile, and what has become of it.
 */
export function recoveredReports(
  { sides }: PreviousProcess,
  how: string,
  { splats = [], harm }: { splats?: readonly Splat[]; harm?: Harm | undefined },
): RecoveredReport[] {
  return sides.map(({ run, begun, timeout, step }) => {
    const passed = Math.round(now() - begun);
    const milliseconds = Math.max(0, Math.min(passed, MAX_TIME));
    // Its timer kills a process that hangs; one that died otherwise only took long to be replaced.
    const hung = how === "SIGKILL" && milliseconds >= timeout;
    const report: SideReport = {
      state: hung ? "timeout" : "broken",
      reasons: hung
        ? [`it had not ended after ${timeout / 1000} s, and its process did not respond (${how})`]
        : [`its process died: ${how}`],
      step,
      milliseconds,
      died: true,
      ...(splats.length === 0 ? {} : { splats }),
      ...(harm === undefined ? {} : { harm }),
    };
    return { run, report };
  });
}
