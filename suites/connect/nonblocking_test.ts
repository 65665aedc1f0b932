/**
 * What no kernel does yet is shown over AF_UNIX, with a connect() that behaves as it must.
 *
 * @module
 */
import assert from "node:assert/strict";
import { POLLERR, POLLOUT, SO_ERROR } from "../../sys/constants.ts";
import { SysError } from "../../sys/errno.ts";
import type { Address } from "../../sys/structs.ts";
import { errsWith, failure, type Mutate } from "../../tests/mutations/mutation.ts";
import { runBothSides } from "../../tests/support/both_sides.ts";
import { knownCase } from "../../tests/support/known_case.ts";
import { VsockLike } from "../../tests/support/vsock_like.ts";
import type { Socket } from "../../kit/mod.ts";

/** ECONNRESET as SO_ERROR gives it. */
const RESET = 104;

/** connect() that does not wait: AF_UNIX ends at once, and says so at once. */
class InBackground extends VsockLike {
  #error: number | undefined;

  override connectHere(address: Address): void {
    this.#error = 0;
    try {
      super.connectHere(address);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      this.#error = RESET;
    }
    throw failure("connect(3)", "EINPROGRESS");
  }

  override async poll(events?: number, milliseconds?: number): Promise<number> {
    if (this.#error === RESET) return POLLOUT | POLLERR;
    return await super.poll(events, milliseconds);
  }

  override getInt(level: number, option: number): number {
    if (option !== SO_ERROR) return super.getInt(level, option);
    const error = this.#error ?? 0;
    this.#error = 0;
    return error;
  }
}

/** As Linux has it: what was refused once is under way for ever. */
const staysUnderWay: Mutate = (Base) =>
  class extends Base {
    #begun = false;

    override connectHere(address: Address): void {
      if (this.#begun) throw failure("connect(3)", "EALREADY");
      this.#begun = true;
      super.connectHere(address);
    }
  };

/** Plays the case with such sockets on its client. */
async function play(type: string, socketClass: typeof Socket) {
  const definition = knownCase(`connect/nonblocking/${type}-again-after-refusal`);
  const server = { socketClass: VsockLike };
  const verdict = await runBothSides(definition, { client: { socketClass }, server });
  return { outcome: verdict.outcome, text: verdict.reasons.join("\n") };
}

for (const type of ["stream", "seqpacket"]) {
  Deno.test(`a ${type} connect() after a refusal passes where it begins anew`, async () => {
    const { outcome, text } = await play(type, InBackground);
    assert.equal(outcome, "pass", text);
  });

  Deno.test(`a ${type} connect() after a refusal warns where it stays under way`, async () => {
    const { outcome, text } = await play(type, staysUnderWay(InBackground));
    assert.equal(outcome, "warn");
    assert.match(text, /after a refusal: expected EINPROGRESS, got .*EALREADY/);
  });
}

Deno.test("a connect() after a refusal warns where it fails otherwise", async () => {
  const { outcome } = await play(
    "stream",
    errsWith("connectHere", "EINPROGRESS", "EINVAL")(InBackground),
  );
  assert.equal(outcome, "warn");
});
