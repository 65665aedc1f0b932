/**
 * The crash journal: what an agent's process must know to replace one that died. It has the address
 * on which that one listened, whose run it took part in, and the sides of cases whose reports are
 * missing. It is a shared mapping of a file, so every step is recorded before it is taken, no
 * matter how the process then ends.
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

/** Bytes for a text in the file, including its length at the front. */
const FIELD = 1024;
/** One text for the process, then two for each side: what it is, and its current step. */
const SIZE = FIELD * (1 + 2 * MAX_SIDES);
/** How long after a side's deadline its process is killed, in milliseconds. */
const KILL_TIME = 2500;

let clock: MonotonicClock | undefined;

/**
 * The monotonic time in milliseconds, the same for all processes of a machine. Unlike the time of
 * day it is never set, not even when a VM is restored.
 */
function now(): number {
  return (clock ??= new MonotonicClock()).now() / 1e6;
}

/** What is recorded about a process. */
interface ProcessRecord {
  readonly port?: number;
  readonly session?: string;
  /** What it knew about the kernel when a side began. */
  readonly kernel?: KernelRecord;
  /** The machine's settings before the first case. */
  readonly settings?: Settings;
}

/** What is recorded about a running side. */
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

/** A text at a fixed place in the file. */
class Field {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #length: DataView;
  static readonly #encoder = new TextEncoder();

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes.subarray(4);
    this.#length = new DataView(bytes.buffer, bytes.byteOffset, 4);
  }

  /** Writes a text, cut to the size of the field. A half-written text is never read. */
  set text(text: string) {
    this.#length.setUint32(0, 0);
    const { written } = Field.#encoder.encodeInto(text, this.#bytes);
    // Erase the rest of an earlier text, for people who look into the file.
    this.#bytes.fill(0, written);
    this.#length.setUint32(0, written);
  }

  get text(): string {
    const length = Math.min(this.#length.getUint32(0), this.#bytes.length);
    return new TextDecoder().decode(this.#bytes.slice(0, length));
  }
}

/** The journal of this process, which also reads that of the previous one. */
export class CrashJournal implements Disposable {
  /** The journal of the previous process; undefined if there was none. */
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

  /** Records what is known about this process. */
  note(record: ProcessRecord): void {
    this.#record = { ...this.#record, ...record };
    this.#process.text = JSON.stringify(this.#record);
  }

  /** Wraps a runner so that its sides and their steps are recorded. */
  around(runSide: SideRunner): SideRunner {
    return async (order: SideOrder): Promise<SideReport> => {
      const slot = this.#free.pop();
      if (slot === undefined) {
        throw new Error("more sides are running than the journal has room for");
      }
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

/** Wraps a runner so that this process is killed if a side hangs and cannot be ended otherwise. */
export function killedWhenLate(runSide: SideRunner): SideRunner {
  return async (order) => {
    using _deadline = killUnlessDone(order.timeout + KILL_TIME);
    return await runSide(order);
  };
}

/** Parses a journal; undefined if there is none, or its format is unknown. */
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
  // The previous process had not begun to listen, or there was none.
  if (own === "") return undefined;
  try {
    const sides = Array.from({ length: MAX_SIDES }, (_, slot) => {
      const [what = "", step = ""] = rest.slice(2 * slot);
      return what === "" ? [] : [{ ...JSON.parse(what) as SideRecord, step }];
    });
    return { ...JSON.parse(own) as ProcessRecord, sides: sides.flat() };
  } catch (error) {
    // The file is truncated, or not a journal.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * The reports on the sides that were running in the previous process.
 *
 * @param how how it ended: `SIGKILL`, `exit code 1`.
 * @param kernel what the kernel has reported since, and its state.
 */
export function recoveredReports(
  { sides }: PreviousProcess,
  how: string,
  { splats = [], harm }: { splats?: readonly Splat[]; harm?: Harm | undefined },
): RecoveredReport[] {
  return sides.map(({ run, begun, timeout, step }) => {
    const passed = Math.round(now() - begun);
    const milliseconds = Math.max(0, Math.min(passed, MAX_TIME));
    // A process that hangs is killed by its timer; any other one just was not replaced at once.
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
