/**
 * Recovers a lab after a kernel has died or can no longer be trusted, or QEMU has exited. That
 * costs a restore or a boot instead of the run.
 *
 * @module
 */
import { ConsoleWatch, readConsole } from "./vm/consoles.ts";
import { VmLostError } from "./error.ts";
import type { Vm } from "./vm/vm.ts";
import type { LabAddress } from "./types.ts";
import { GUEST_GONE, guestEnd, type QemuEnd } from "./vm/qemu_end.ts";

/** How often QEMU may exit without any kernel having logged a reason. */
const MAX_LOSSES = 3;

/** How a lab is recovered. */
export interface RecoverySettings {
  /** Starts a VM to replace one that has ended, and waits until it runs. */
  start(why: string): Promise<Vm>;
  /**
   * Whether an exit of QEMU is a finding: either this QEMU is under test, or it runs on KVM, where
   * the emulator cannot be at fault.
   */
  readonly qemuIsTested: boolean;
}

/** The current VM of a lab. */
export class Recovery implements AsyncDisposable {
  readonly #address: LabAddress;
  readonly #settings: RecoverySettings;
  #vm: Vm;
  #losses = 0;
  #consoles: ConsoleWatch | undefined;
  /** The length of the host's console when the VM started, in characters. */
  #from = 0;
  #recovering: Promise<void> | undefined;
  #findings: string[] = [];
  #over = false;

  /** @param vm the first one. */
  constructor(address: LabAddress, vm: Vm, settings: RecoverySettings) {
    this.#address = address;
    this.#vm = vm;
    this.#settings = settings;
  }

  /** The current VM. */
  get vm(): Vm {
    return this.#vm;
  }

  /** How often it was recovered although no kernel had logged a reason. */
  get losses(): number {
    return this.#losses;
  }

  /** Exits of QEMU that are findings; each is returned once. */
  takeFindings(): readonly string[] {
    return this.#findings.splice(0);
  }

  /** Marks the end of the boot: a kernel that dies from now on was killed by a case. */
  async begin(): Promise<void> {
    this.#consoles = await ConsoleWatch.begin(this.#address);
    this.#from = (await readConsole(this.#address.vms[0].console)).length;
  }

  /**
   * Recovers the lab if it was lost; otherwise does nothing.
   *
   * @throws {VmLostError} if QEMU has exited without a reason too often.
   */
  recover(): Promise<void> {
    return this.#recovering ??= this.#ifGone().finally(() => this.#recovering = undefined);
  }

  /** Replaces a running VM whose kernels can no longer be trusted. */
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

  /** How a QEMU of the lab ended, the guest's first; undefined if all are running. */
  async #qemuEnd(): Promise<QemuEnd | undefined> {
    const said = (await readConsole(this.#address.vms[0].console)).slice(this.#from);
    if (GUEST_GONE.some((mark) => said.includes(mark))) return guestEnd(said);
    return this.#vm.isOver ? this.#vm.end : undefined;
  }

  /** Ends the current VM. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#recovering?.catch(() => {});
    await this.#vm[Symbol.asyncDispose]();
  }
}
