/**
 * Brings a lab back with clean kernels when one of them has died, or is not to be trusted any more,
 * or QEMU has ended, so that either costs a restore or a boot and not the run.
 *
 * @module
 */
import { ConsoleWatch, readConsole } from "./consoles.ts";
import { MishapError } from "./error.ts";
import { MARKS } from "./init.ts";
import type { LabAddress } from "./lab.ts";
import type { Vm } from "./vm.ts";

/** What a host says when its guest is no more. */
const GUEST_GONE = [MARKS.guestEnded, MARKS.guestStuck];
/** How often the tool's own QEMU may end without a word of a kernel. */
const MAX_LOSSES = 3;

/** How a lab is brought back. */
export interface RecoverySettings {
  /** Starts a VM in place of one that has ended, is told why, and gives it when it runs. */
  start(why: string): Promise<Vm>;
  /**
   * Whether QEMU's own end is a finding: it is the implementation under test, or nothing is emulated
   * that could be at fault.
   */
  readonly qemuIsTested: boolean;
}

/** The VM of a lab, and those that take its place. */
export class Recovery implements AsyncDisposable {
  readonly #address: LabAddress;
  readonly #settings: RecoverySettings;
  #vm: Vm;
  #losses = 0;
  #consoles: ConsoleWatch | undefined;
  /** How long the host's console was when the VM started, in characters. */
  #from = 0;
  #recovering: Promise<void> | undefined;
  #findings: string[] = [];
  #over = false;

  /** @param vm that there is at first. */
  constructor(address: LabAddress, vm: Vm, settings: RecoverySettings) {
    this.#address = address;
    this.#vm = vm;
    this.#settings = settings;
  }

  /** The VM that there is. */
  get vm(): Vm {
    return this.#vm;
  }

  /** How often it came back from what no kernel had said a word of: the emulator's doing. */
  get losses(): number {
    return this.#losses;
  }

  /** What QEMU ended of where that is a finding; what was taken is not given again. */
  takeFindings(): readonly string[] {
    return this.#findings.splice(0);
  }

  /** From now on a kernel that dies is one that cases killed. */
  async begin(): Promise<void> {
    this.#consoles = await ConsoleWatch.begin(this.#address);
    this.#from = (await readConsole(this.#address.consoles[0])).length;
  }

  /**
   * Brings the lab back where it has gone away, and does nothing where it has not.
   *
   * @throws {MishapError} where QEMU ended without a word, once too often.
   */
  recover(): Promise<void> {
    return this.#recovering ??= this.#ifGone().finally(() => this.#recovering = undefined);
  }

  /** Replaces a VM that runs but whose kernels are not to be trusted any more. */
  renew(why: string): Promise<void> {
    return this.#recovering ??= this.#replace(why).finally(() => this.#recovering = undefined);
  }

  async #ifGone(): Promise<void> {
    if (this.#over || this.#consoles === undefined) return;
    const end = await this.#qemuEnd();
    if (end === undefined) return;
    const kernelSpoke = (await this.#consoles.postMortem()).length > 0;
    if (kernelSpoke) return await this.#replace("a kernel died");
    if (this.#settings.qemuIsTested && end.isFault) {
      this.#findings.push(end.text);
      return await this.#replace(end.text.split("\n")[0] ?? "");
    }
    if (this.#settings.qemuIsTested || this.#losses === MAX_LOSSES) throw new MishapError(end.text);
    await this.#replace(`${end.text.split("\n")[0]}, and no kernel said why`);
    this.#losses++;
  }

  async #replace(why: string): Promise<void> {
    await this.#vm[Symbol.asyncDispose]();
    if (this.#over) return;
    this.#vm = await this.#settings.start(why);
    await this.begin();
  }

  /** How a QEMU of the lab ended, its guest's first; undefined where both run. */
  async #qemuEnd(): Promise<QemuEnd | undefined> {
    const said = (await readConsole(this.#address.consoles[0])).slice(this.#from);
    if (GUEST_GONE.some((mark) => said.includes(mark))) return guestEnd(said);
    return this.#vm.isOver ? this.#vm.end : undefined;
  }

  /** Ends the VM that there is. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#recovering?.catch(() => {});
    await this.#vm[Symbol.asyncDispose]();
  }
}

/** How a QEMU ended. */
export interface QemuEnd {
  /** For people, with its last words. */
  readonly text: string;
  /** Whether it was by a signal, or with an exit code that tells of an error. */
  readonly isFault: boolean;
}

/**
 * How a process ended, from the exit status that a shell gives.
 *
 * @param who it was, for people.
 * @param words its last ones.
 */
export function qemuEnd(who: string, status: number, words: string): QemuEnd {
  const how = status > 128 ? `signal ${signalName(status - 128)}` : `exit code ${status}`;
  const said = words.trim();
  return { text: `${who} ended (${how})${said === "" ? "" : `: ${said}`}`, isFault: status !== 0 };
}

/** The end of the guest's QEMU, from what its host's console says. */
export function guestEnd(console: string): QemuEnd {
  const lines = console.split("\n").map((line) => line.trim());
  const at = lines.findIndex((line) => GUEST_GONE.some((mark) => line.includes(mark)));
  const words = lines.slice(0, at).filter((line) => /^qemu-system|^\*\*|Assertion/.test(line));
  const status = /\((\d+)\)/.exec(lines[at]?.slice(lines[at].indexOf(MARKS.guestEnded)) ?? "")?.[1];
  if (!lines[at]?.includes(MARKS.guestEnded) || status === undefined) {
    return { text: `the guest's QEMU: ${lines[at] ?? ""}`, isFault: true };
  }
  return qemuEnd("the guest's QEMU", Number(status), words.slice(-WORDS).join("\n"));
}

/** How many of its last lines are kept. */
const WORDS = 8;

/** Names of the signals by which a process dies of its own fault or is killed (signal(7)). */
const SIGNALS: Readonly<Record<number, string>> = {
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  15: "SIGTERM",
};

function signalName(number: number): string {
  return SIGNALS[number] ?? String(number);
}
