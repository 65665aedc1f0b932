import { knownCase } from "../../tests/support/known_case.ts";
import assert from "node:assert/strict";
import type { Role } from "../../core/case.ts";
import { SysError } from "../../sys/errno.ts";
import { IoUring } from "../../sys/io_uring.ts";
import {
  IORING_CQE_F_MORE,
  IORING_CQE_F_NOTIF,
  type RingCompletion,
} from "../../sys/io_uring_abi.ts";
import { Socket } from "../../sys/socket.ts";
import type { IoVector } from "../../sys/structs.ts";
import { runBothSides } from "../../tests/support/both_sides.ts";
import type { ConformanceCase } from "../../kit/mod.ts";
import { testWithUring as test } from "../../tests/support/io_uring.ts";

const sendmsgArrives = knownCase("uring/sendmsg/arrives-whole");
const sendmsgZcArrives = knownCase("uring/sendmsg-zc/arrives-whole-and-notifies");

/** A ring whose completions are changed on their way. */
function changing(change: (completion: RingCompletion) => RingCompletion): typeof IoUring {
  return class extends IoUring {
    override async wait() {
      return change(await super.wait());
    }
  };
}

/** AF_UNIX has no MSG_ZEROCOPY: sockets that say they have, and rings that copy and notify. */
class ZerocopySocket extends Socket {
  override setInt(level: number, option: number, value: number): void {
    if (option !== 60) super.setInt(level, option, value);
  }
  override getInt(level: number, option: number): number {
    return option === 60 ? 1 : super.getInt(level, option);
  }
}

class ZerocopyRing extends IoUring {
  #copying = false;
  #notification: RingCompletion | undefined;

  override supports(): boolean {
    return true;
  }
  override sendmsgZc(fd: number, vectors: readonly IoVector[]): bigint {
    this.#copying = true;
    return this.sendmsg(fd, vectors);
  }
  override async wait(): Promise<RingCompletion> {
    const notification = this.#notification;
    if (notification !== undefined) {
      this.#notification = undefined;
      return this.notify(notification);
    }
    const completion = await super.wait();
    if (!this.#copying) return completion;
    this.#notification = { ...completion, result: 0, flags: IORING_CQE_F_NOTIF };
    return { ...completion, flags: IORING_CQE_F_MORE };
  }
  /** The notification, for those that change it. */
  notify(notification: RingCompletion): RingCompletion | Promise<RingCompletion> {
    return notification;
  }
}

async function failsWith(
  definition: ConformanceCase,
  role: Role,
  ringClass: typeof IoUring,
  reason: RegExp,
): Promise<void> {
  const socketClass = ZerocopySocket;
  const verdict = await runBothSides(definition, { [role]: { socketClass, ringClass } });
  assert.equal(verdict.outcome, "fail", verdict.reasons.join("\n"));
  assert.match(verdict.reasons.join("\n"), reason);
}

test("uring/sendmsg/arrives-whole passes where nothing is wrong", async () => {
  assert.deepEqual((await runBothSides(sendmsgArrives)).reasons, []);
});

test("uring/sendmsg-zc/arrives-whole-and-notifies passes where nothing is wrong", async () => {
  const client = { socketClass: ZerocopySocket, ringClass: ZerocopyRing };
  assert.deepEqual((await runBothSides(sendmsgZcArrives, { client })).reasons, []);
});

test("uring/sendmsg-zc/arrives-whole-and-notifies is skipped without MSG_ZEROCOPY", async () => {
  const verdict = await runBothSides(sendmsgZcArrives);
  assert.equal(verdict.outcome, "skip");
  assert.match(verdict.reasons.join("\n"), /^client: lacks MSG_ZEROCOPY/);
});

for (const code of [1, 38]) {
  test(`uring/sendmsg/arrives-whole is skipped where io_uring_setup() is errno ${code}`, async () => {
    const ringClass = class extends IoUring {
      static override open(): IoUring {
        throw new SysError("io_uring_setup(4)", code);
      }
    };
    const verdict = await runBothSides(sendmsgArrives, { server: { ringClass } });
    assert.equal(verdict.outcome, "skip", verdict.reasons.join("\n"));
  });
}

const CHANGES: readonly [string, Role, Partial<RingCompletion>, RegExp][] = [
  ["sending gives an errno", "client", { result: -32 }, /SENDMSG: EPIPE/],
  ["sending gives 0", "client", { result: 0 }, /SENDMSG: its result is 0/],
  ["sending gives more than there is", "client", { result: 1 << 20 }, /its result is 1048576/],
  ["a completion has other user data", "client", { userData: 77n }, /the user data/],
  ["copying announces a second completion", "client", { flags: 2 }, /is announced/],
  ["copying notifies", "client", { flags: 8 }, /NOTIF comes first/],
  ["receiving gives an errno", "server", { result: -14 }, /READV: EFAULT/],
  ["receiving gives 0", "server", { result: 0 }, /end of file after 0 bytes/],
  ["receiving gives more than it has room for", "server", { result: 1 << 20 }, /1048576/],
  ["receiving announces more", "server", { flags: 2 }, /IORING_CQE_F_MORE/],
];

for (const [name, role, change, reason] of CHANGES) {
  test(`uring/sendmsg/arrives-whole fails where ${name}`, async () => {
    const ringClass = changing((completion) => ({ ...completion, ...change }));
    await failsWith(sendmsgArrives, role, ringClass, reason);
  });
}

test("uring/sendmsg/arrives-whole fails where more is sent than the result says", async () => {
  const ringClass = changing((completion) => ({
    ...completion,
    result: Math.min(completion.result, 4096),
  }));
  await failsWith(sendmsgArrives, "client", ringClass, /READV after the last byte/);
});

test("uring/sendmsg/arrives-whole fails where the pieces are sent in another order", async () => {
  const ringClass = class extends IoUring {
    override sendmsg(fd: number, vectors: readonly IoVector[], flags?: number): bigint {
      return super.sendmsg(fd, [...vectors].reverse(), flags);
    }
  };
  await failsWith(sendmsgArrives, "client", ringClass, /the hash of what was received/);
});

test("uring/sendmsg/arrives-whole fails where data follows that nobody sent", async () => {
  const server = changing((completion) =>
    completion.result === 0 ? { ...completion, result: 1 } : completion
  );
  await failsWith(sendmsgArrives, "server", server, /READV after the last byte/);
});

const NOTIFICATIONS: readonly [string, Partial<RingCompletion>][] = [
  ["has a result", { result: -5 }],
  ["is none", { flags: 0 }],
  ["announces another", { flags: IORING_CQE_F_NOTIF | IORING_CQE_F_MORE }],
  ["is of another request", { userData: 99n }],
];

for (const [name, change] of NOTIFICATIONS) {
  test(`uring/sendmsg-zc fails where the notification ${name}`, async () => {
    const ringClass = class extends ZerocopyRing {
      override notify(notification: RingCompletion) {
        return { ...notification, ...change };
      }
    };
    await failsWith(sendmsgZcArrives, "client", ringClass, /the notification/);
  });
}

test("uring/sendmsg-zc fails where no notification is announced", async () => {
  const ringClass = class extends ZerocopyRing {
    override async wait(): Promise<RingCompletion> {
      return { ...await super.wait(), flags: 0 };
    }
  };
  await failsWith(sendmsgZcArrives, "client", ringClass, /a second completion is announced/);
});

test("uring/sendmsg-zc ends where the notification never comes", async () => {
  let waits = false;
  const ringClass = class extends ZerocopyRing {
    override notify(): Promise<RingCompletion> {
      waits = true;
      return IoUring.prototype.wait.call(this);
    }
  };
  // A deadline that passes before it waits, on a machine that stands still, says nothing.
  for (let timeout = 300; !waits && timeout < 100_000; timeout *= 4) {
    const client = { socketClass: ZerocopySocket, ringClass, timeout };
    const verdict = await runBothSides(sendmsgZcArrives, { client });
    assert.equal(verdict.outcome, "timeout");
    if (!waits) continue;
    assert.match(verdict.reasons.join("\n"), /last step: io_uring_enter\(wait for a completion\)/);
  }
  assert.ok(waits, "it never came to the notification");
});
