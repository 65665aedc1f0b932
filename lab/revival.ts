/**
 * Brings a lab back from its snapshot when one of its kernels has died, so that a case that kills a
 * kernel costs a restore and not the run.
 *
 * @module
 */
import { ConsoleWatch, readConsole } from "./consoles.ts";
import { MARKS } from "./init.ts";
import type { LabAddress } from "./lab.ts";
import type { Vm } from "./vm.ts";

/** What a host says when its guest is no more. */
const GUEST_GONE = [MARKS.guestEnded, MARKS.guestStuck];

/** The VM of a lab, and those that take its place. */
export class Revival implements AsyncDisposable {
  readonly #address: LabAddress;
  readonly #start: () => Promise<Vm>;
  #vm: Vm;
  #consoles: ConsoleWatch | undefined;
  /** How long the host's console was when the VM started, in characters. */
  #from = 0;
  #reviving: Promise<void> | undefined;
  #over = false;

  /** @param start starts a VM in place of one that has ended, and gives it when it runs. */
  constructor(address: LabAddress, vm: Vm, start: () => Promise<Vm>) {
    this.#address = address;
    this.#vm = vm;
    this.#start = start;
  }

  /** From now on a kernel that dies is one that cases killed. */
  async begin(): Promise<void> {
    this.#consoles = await ConsoleWatch.begin(this.#address);
    this.#from = (await readConsole(this.#address.consoles[0])).length;
  }

  /** Brings the lab back where a kernel died; does nothing where none did, or it is not known. */
  revive(): Promise<void> {
    return this.#reviving ??= this.#once().finally(() => this.#reviving = undefined);
  }

  async #once(): Promise<void> {
    if (this.#over || this.#consoles === undefined || !await this.#isDead()) return;
    // A machine that went away without a word of its kernel is no verdict on any.
    if ((await this.#consoles.postMortem()).length === 0) return;
    await this.#vm[Symbol.asyncDispose]();
    if (this.#over) return;
    this.#vm = await this.#start();
    await this.begin();
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
