/**
 * Brings a lab back from its snapshot when one of its kernels has died, or QEMU has failed it, so
 * that either costs a restore and not the run.
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
/** How often QEMU may fail a lab. */
const MAX_LOSSES = 3;

/** The VM of a lab, and those that take its place. */
export class Revival implements AsyncDisposable {
  readonly #address: LabAddress;
  readonly #start: (why: string) => Promise<Vm>;
  #vm: Vm;
  #losses = 0;
  #consoles: ConsoleWatch | undefined;
  /** How long the host's console was when the VM started, in characters. */
  #from = 0;
  #reviving: Promise<void> | undefined;
  #over = false;

  /**
   * @param start starts a VM in place of one that has ended, is told why, and gives it when it runs.
   */
  constructor(address: LabAddress, vm: Vm, start: (why: string) => Promise<Vm>) {
    this.#address = address;
    this.#vm = vm;
    this.#start = start;
  }

  /** The VM that there is. */
  get vm(): Vm {
    return this.#vm;
  }

  /** How often it came back from what no kernel had said a word of: QEMU's doing, under TCG. */
  get losses(): number {
    return this.#losses;
  }

  /** From now on a kernel that dies is one that cases killed. */
  async begin(): Promise<void> {
    this.#consoles = await ConsoleWatch.begin(this.#address);
    this.#from = (await readConsole(this.#address.consoles[0])).length;
  }

  /**
   * Brings the lab back where it has gone away, and does nothing where it has not.
   *
   * @throws {MishapError} where it did without a word of its kernels, once too often or under KVM.
   */
  revive(): Promise<void> {
    return this.#reviving ??= this.#once().finally(() => this.#reviving = undefined);
  }

  async #once(): Promise<void> {
    if (this.#over || this.#consoles === undefined || !await this.#isDead()) return;
    const spoke = (await this.#consoles.postMortem()).length > 0;
    const why = spoke ? "a kernel died" : "QEMU ended, and no kernel said why";
    if (!spoke && (this.#address.accelerator === "kvm" || this.#losses === MAX_LOSSES)) {
      throw new MishapError(why);
    }
    await this.#vm[Symbol.asyncDispose]();
    if (this.#over) return;
    this.#vm = await this.#start(why);
    await this.begin();
    if (!spoke) this.#losses++;
  }

  async #isDead(): Promise<boolean> {
    if (this.#vm.isOver) return true;
    const said = (await readConsole(this.#address.consoles[0])).slice(this.#from);
    return GUEST_GONE.some((mark) => said.includes(mark));
  }

  /** Ends the VM that there is. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#reviving?.catch(() => {});
    await this.#vm[Symbol.asyncDispose]();
  }
}
