import { knownCase } from "../../tests/support/known_case.ts";
import assert from "node:assert/strict";
import { type NamespaceMode, NetNamespace } from "../../sys/net_namespace.ts";
import { Socket } from "../../sys/socket.ts";
import type { VsockSysctl } from "../../sys/sysctl.ts";
import { VhostVsock } from "../../sys/dev_vhost_vsock.ts";
import { failure } from "../../tests/mutations/mutation.ts";
import { runBothSides } from "../../tests/support/both_sides.ts";
import type { ConformanceCase, Machine } from "../../kit/mod.ts";

const childInherits = knownCase("namespaces/mode/child-inherits");
const childModeIsWrittenOnce = knownCase("namespaces/mode/child-mode-is-written-once");
const localStaysLocal = knownCase("namespaces/mode/local-makes-no-global");
const modeIsReadOnly = knownCase("namespaces/mode/is-read-only");

const seqpacketInLocal = knownCase("namespaces/loopback/seqpacket-in-local");

const foundFrom = knownCase("namespaces/cid/found-from");
const sameCidTwice = knownCase("namespaces/cid/same-twice");

const MACHINE: Machine = {
  place: () => ({
    loopback: true,
    host: true,
    guest: false,
    guestCid: undefined,
    fallback: undefined,
  }),
  withFallback: () => assert.fail("no case of these sets it"),
};

/** What a kernel may get wrong. */
interface Faults {
  readonly writesMode?: boolean;
  readonly writesTwice?: boolean;
  readonly alwaysGlobal?: boolean;
  readonly localMakesGlobal?: boolean;
  readonly cidsOfOne?: boolean;
  readonly findsAll?: boolean;
  readonly refusesSeqpacket?: boolean;
}

/** A device that is none. */
class ClosedVhost extends VhostVsock {
  static override open(): VhostVsock {
    return new this(-1, {});
  }
}

/** A namespace that is none. */
class ClosedNamespace extends NetNamespace {
  modes: Modes = { mode: "global", child: "global", written: false };

  static override create(mode: NamespaceMode): NetNamespace {
    const made = new this(-1, {});
    made.modes = { mode, child: mode, written: false };
    return made;
  }
}

/** A kernel with namespaces in which nothing is but guests' devices. */
class FakeKernel {
  readonly faults: Faults;
  readonly namespaceClass: typeof NetNamespace;
  readonly vhostClass: typeof VhostVsock;
  readonly socketClass: typeof Socket;
  #here: Modes = { mode: "global", child: "global", written: false };
  readonly #devices = new Map<VhostVsock, { readonly cid: number; readonly at: Modes }>();

  constructor(faults: Faults) {
    this.faults = faults;
    this.namespaceClass = namespacesOf(this);
    // deno-lint-ignore no-this-alias
    const kernel = this;
    this.vhostClass = class extends ClosedVhost {
      readonly #at = kernel.#here;
      override setGuestCid(cid: number): void {
        const { cidsOfOne } = kernel.faults;
        const sees = (at: Modes) => cidsOfOne ? at === this.#at : kernel.#sees(at, this.#at);
        const others = [...kernel.#devices.values()];
        if (others.some((other) => other.cid === cid && sees(other.at))) {
          throw failure("ioctl(3)", "EADDRINUSE");
        }
        kernel.#devices.set(this, { cid, at: this.#at });
      }
      override [Symbol.dispose](): void {
        kernel.#devices.delete(this);
      }
    };
    this.socketClass = class extends Socket {
      readonly #at = kernel.#here;
      override connect({ cid }: { cid: number }): Promise<void> {
        if (cid === 1) {
          if (!kernel.faults.refusesSeqpacket) return Promise.resolve();
          throw failure("connect(3)", "ESOCKTNOSUPPORT");
        }
        const sees = (at: Modes) => kernel.faults.findsAll || kernel.#sees(at, this.#at);
        const found = [...kernel.#devices.values()].some(({ at }) => sees(at));
        throw failure("connect(3)", found ? "EHOSTUNREACH" : "ENODEV");
      }
    };
  }

  within<T>(modes: Modes, body: () => T): T {
    const before = this.#here;
    this.#here = modes;
    try {
      return body();
    } finally {
      this.#here = before;
    }
  }

  #sees(one: Modes, other: Modes): boolean {
    return one === other || (one.mode === "global" && other.mode === "global");
  }
}

/** The modes of a namespace. */
interface Modes {
  mode: NamespaceMode;
  child: NamespaceMode;
  written: boolean;
}

function namespacesOf(kernel: FakeKernel): typeof NetNamespace {
  const { faults } = kernel;
  return class Fake extends ClosedNamespace {
    override createChild(): NetNamespace {
      return Fake.create(faults.alwaysGlobal ? "global" : this.modes.child);
    }
    override within<T>(body: () => T): T {
      return kernel.within(this.modes, body);
    }
    override read(name: VsockSysctl): string {
      return name === "ns_mode" ? this.modes.mode : this.modes.child;
    }
    override write(name: VsockSysctl, value: string): void {
      const { modes } = this;
      if (name === "g2h_fallback") return;
      if (name === "ns_mode") {
        if (!faults.writesMode) throw failure("open(ns_mode)", "EACCES");
        modes.mode = value as NamespaceMode;
        return;
      }
      if (!["global", "local"].includes(value)) throw failure("write(3)", "EINVAL");
      const escapes = modes.mode === "local" && value === "global";
      if (escapes && !faults.localMakesGlobal) throw failure("write(3)", "EPERM");
      if (modes.written && value !== modes.child && !faults.writesTwice) {
        throw failure("write(3)", "EBUSY");
      }
      modes.child = value as NamespaceMode;
      modes.written = true;
    }
  };
}

/** Plays a case on a kernel with those faults. */
async function play(definition: ConformanceCase, faults: Faults) {
  const { namespaceClass, vhostClass, socketClass } = new FakeKernel(faults);
  const client = { machine: MACHINE, namespaceClass, vhostClass, socketClass };
  return await runBothSides(definition, { client });
}

const FAULTS: readonly (readonly [ConformanceCase, Faults, RegExp])[] = [
  [modeIsReadOnly, { writesMode: true }, /writing local to ns_mode: expected EACCES/],
  [childModeIsWrittenOnce, { writesTwice: true }, /behind local: expected EBUSY/],
  [childInherits, { alwaysGlobal: true }, /made after that: expected "local"/],
  [localStaysLocal, { localMakesGlobal: true }, /expected EPERM, but it returned/],
  [sameCidTwice, { cidsOfOne: true }, /in a global namespace beside a global one: expected "EADDR/],
  [foundFrom, { findsAll: true }, /to a guest of a global one: expected ENODEV, got .*EHOSTUNR/],
];

for (const [definition, faults, reason] of FAULTS) {
  Deno.test(`${definition.id} fails on a kernel that ${Object.keys(faults)}, and there only`, async () => {
    const whole = await play(definition, {});
    assert.equal(whole.outcome, "pass", whole.reasons.join("\n"));
    const broken = await play(definition, faults);
    assert.equal(broken.outcome, "fail");
    assert.match(broken.reasons.join("\n"), reason);
  });
}

Deno.test(`${seqpacketInLocal.id} warns where SOCK_SEQPACKET is refused`, async () => {
  assert.equal((await play(seqpacketInLocal, {})).outcome, "pass");
  const refused = await play(seqpacketInLocal, { refusesSeqpacket: true });
  assert.equal(refused.outcome, "warn");
});
