/**
 * Brings a lab back with clean kernels when one of them has died, or is not to be trusted any more,
 * or QEMU has ended, so that either costs a restore or a boot and not the run.
 *
 * @module
 */
import { ConsoleWatch, readConsole } from "./vm/consoles.ts";
import { VmLostError } from "./error.ts";
import type { Vm } from "./vm/vm.ts";
import type { LabAddress } from "./types.ts";
import { GUEST_GONE, guestEnd, type QemuEnd } from "./vm/qemu_end.ts";

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
    this.#from = (await readConsole(this.#address.vms[0].console)).length;
  }

  /**
   * Brings the lab back where it has gone away, and does nothing where it has not.
   *
   * @throws {VmLostError} where QEMU ended without a word, once too often.
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
    if (this.#settings.qemuIsTested || this.#losses === MAX_LOSSES) throw new VmLostError(end.text);
    await this.#replace(`${end.text.split("\n")[0]}, and no kernel logged a reason`);
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
    const said = (await readConsole(this.#address.vms[0].console)).slice(this.#from);
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
