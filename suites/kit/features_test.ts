import assert from "node:assert/strict";
import type { Feature } from "../../core/case.ts";
import { SIOCINQ } from "../../sys/constants.ts";
import { SysError } from "../../sys/errno.ts";
import { Socket } from "../../sys/socket.ts";
import { unixStandIn } from "../../sys/structs.ts";
import { lackingOf } from "./features.ts";

const FAMILY = unixStandIn(`features-${Deno.pid}`);

function lacking(feature: Feature, socketClass: typeof Socket = Socket): string[] {
  const options = { family: FAMILY, peerCid: 1, port: 1, socketClass };
  return lackingOf({ needs: [feature] }, "client", options);
}

/** Sockets some of whose calls fail with an error number. */
function failing(errno: number, ...calls: ("setInt" | "connectHere" | "ioctlInt")[]) {
  return class extends Socket {
    override setInt(...args: Parameters<Socket["setInt"]>): void {
      if (calls.includes("setInt")) throw new SysError("setsockopt()", errno);
      if (args[1] !== 60) super.setInt(...args);
    }
    override connectHere(...args: Parameters<Socket["connectHere"]>): void {
      if (calls.includes("connectHere")) throw new SysError("connect()", errno);
      super.connectHere(...args);
    }
    override ioctlInt(request: number): number {
      if (calls.includes("ioctlInt")) throw new SysError(`ioctl(${request})`, errno);
      return super.ioctlInt(request);
    }
  };
}

Deno.test("lackingOf() finds out what AF_UNIX has and has not", () => {
  assert.deepEqual(lacking("seqpacket"), []);
  assert.deepEqual(lacking("siocoutq"), []);
  assert.deepEqual(lacking("siocinq"), []);
  const [zerocopy] = lacking("zerocopy");
  assert.match(`${zerocopy}`, /^lacks MSG_ZEROCOPY \(SO_ZEROCOPY\): setsockopt\(.*EOPNOTSUPP/);
});

Deno.test("lackingOf() takes the refusal of a transport for a lack, and no other error", () => {
  const EOPNOTSUPP = 95;
  const ESOCKTNOSUPPORT = 94;
  const ENOTTY = 25;
  const EIO = 5;
  assert.deepEqual(lacking("zerocopy", failing(EOPNOTSUPP, "connectHere")), [
    "lacks MSG_ZEROCOPY (SO_ZEROCOPY): connect(): EOPNOTSUPP (Operation not supported)",
  ]);
  assert.equal(lacking("seqpacket", failing(ESOCKTNOSUPPORT, "connectHere")).length, 1);
  for (const errno of [EOPNOTSUPP, ENOTTY]) {
    const [reason] = lacking("siocinq", failing(errno, "ioctlInt"));
    assert.match(`${reason}`, new RegExp(`^lacks ioctl\\(SIOCINQ\\): ioctl\\(${SIOCINQ}\\): E`));
  }
  assert.deepEqual(lacking("seqpacket", failing(EIO, "connectHere")), []);
  assert.deepEqual(lacking("siocoutq", failing(EIO, "ioctlInt", "connectHere")), []);
});

Deno.test("lackingOf() asks for what a role needs, and for nothing else", () => {
  const options = { family: FAMILY, peerCid: 1, port: 1 };
  const needs = [{ server: "zerocopy" }, "seqpacket"] as const;
  assert.deepEqual(lackingOf({ needs }, "client", options), []);
  assert.equal(lackingOf({ needs }, "server", options).length, 1);
  assert.deepEqual(lackingOf({}, "server", options), []);
});
