import assert from "node:assert/strict";
import type { Feature } from "../core/case.ts";
import { SIOCINQ } from "../sys/constants.ts";
import { SysError } from "../sys/errno.ts";
import { IoUring } from "../sys/io_uring.ts";
import { Socket } from "../sys/socket.ts";
import { unixStandIn } from "../sys/structs.ts";
import { featuresHere, lackingOf } from "./features.ts";
import type { Machine, Place } from "./machine.ts";
import type { FeatureOptions } from "./probe.ts";

const FAMILY = unixStandIn(`features-${Deno.pid}`);

function lacking(feature: Feature, socketClass: typeof Socket = Socket): Promise<string[]> {
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

Deno.test("lackingOf() finds out what AF_UNIX has and has not", async () => {
  assert.deepEqual(await lacking("seqpacket"), []);
  assert.deepEqual(await lacking("siocoutq"), []);
  assert.deepEqual(await lacking("siocinq"), []);
  const [zerocopy] = await lacking("zerocopy");
  assert.match(`${zerocopy}`, /^lacks MSG_ZEROCOPY \(SO_ZEROCOPY\): setsockopt\(.*EOPNOTSUPP/);
});

Deno.test("lackingOf() takes the refusal of a transport for a lack, and no other error", async () => {
  const EOPNOTSUPP = 95;
  const ESOCKTNOSUPPORT = 94;
  const ENOTTY = 25;
  const EIO = 5;
  assert.deepEqual(await lacking("zerocopy", failing(EOPNOTSUPP, "connectHere")), [
    "lacks MSG_ZEROCOPY (SO_ZEROCOPY): connect(): EOPNOTSUPP (Operation not supported)",
  ]);
  assert.equal((await lacking("seqpacket", failing(ESOCKTNOSUPPORT, "connectHere"))).length, 1);
  for (const errno of [EOPNOTSUPP, ENOTTY]) {
    const [reason] = await lacking("siocinq", failing(errno, "ioctlInt"));
    assert.match(`${reason}`, new RegExp(`^lacks ioctl\\(SIOCINQ\\): ioctl\\(${SIOCINQ}\\): E`));
  }
  assert.deepEqual(await lacking("seqpacket", failing(EIO, "connectHere")), []);
  assert.deepEqual(await lacking("siocoutq", failing(EIO, "ioctlInt", "connectHere")), []);
});

Deno.test("featuresHere() cannot tell of a peer that no transport reaches", async () => {
  const ENODEV = 19;
  const reachedBy = async (socketClass: typeof Socket) => {
    const options = { family: FAMILY, peerCid: 1, port: 1, socketClass };
    const { seqpacket, siocinq, "io-uring": ring } = await featuresHere(options);
    return [seqpacket, siocinq, ring];
  };
  const [, , ring] = await reachedBy(Socket);
  assert.deepEqual((await reachedBy(Socket)).slice(0, 2), [undefined, undefined]);
  const why = "cannot be told: connect(): ENODEV (No such device)";
  assert.deepEqual(await reachedBy(failing(ENODEV, "connectHere")), [why, why, ring]);
});

Deno.test("lackingOf() asks for what a role needs, and for nothing else", async () => {
  const options = { family: FAMILY, peerCid: 1, port: 1 };
  const needs = [{ server: "zerocopy" }, "seqpacket"] as const;
  assert.deepEqual(await lackingOf({ needs }, "client", options), []);
  assert.equal((await lackingOf({ needs }, "server", options)).length, 1);
  assert.deepEqual(await lackingOf({}, "server", options), []);
});

Deno.test("lackingOf() knows a machine between whose transports nothing can change", async () => {
  const alone: Place = {
    loopback: true,
    host: false,
    guest: false,
    guestCid: undefined,
    fallback: undefined,
  };
  const lackingAt = (place: Place, feature: Feature) => {
    const machine: Machine = {
      place: () => place,
      withFallback: () => ({ [Symbol.dispose]() {} }),
    };
    return lackingOf({ needs: [feature] }, "client", {
      family: FAMILY,
      peerCid: 1,
      port: 1,
      machine,
    });
  };
  assert.deepEqual(await lackingAt(alone, "second-transport"), [
    "lacks a second transport, to which connect() can move a socket: none leads elsewhere than " +
    "to CID 1",
  ]);
  assert.deepEqual(await lackingAt({ ...alone, guest: true }, "second-transport"), []);
  assert.deepEqual(await lackingAt(alone, "cid-without-transport"), []);
  assert.deepEqual(await lackingAt({ ...alone, guest: true }, "cid-without-transport"), [
    "lacks a CID that no transport serves: a guest's transport leads everywhere",
  ]);
  assert.match(`${await lacking("second-transport")}`, /its sockets are unix/);
});

Deno.test("lackingOf() takes a kernel without io_uring or its operation for a lack", async () => {
  const lackingRing = (feature: Feature, ringClass: typeof IoUring) =>
    lackingOf({ needs: [feature] }, "client", { family: FAMILY, peerCid: 1, port: 1, ringClass });
  const refusing = (errno: number) =>
    class extends IoUring {
      static override open(): IoUring {
        throw new SysError("io_uring_setup(1)", errno);
      }
    };
  const EPERM = 1;
  const ENOSYS = 38;
  for (const errno of [EPERM, ENOSYS]) {
    for (const feature of ["io-uring", "sendmsg-zc"] as const) {
      const [reason] = await lackingRing(feature, refusing(errno));
      assert.match(`${reason}`, /^lacks io_uring .*: io_uring_setup\(1\): E/);
    }
  }
  const EMFILE = 24;
  assert.deepEqual(await lackingRing("io-uring", refusing(EMFILE)), []);
});

Deno.test("lackingOf() asks sock_diag whether it is there, and who else has sockets", async () => {
  const lackingDump = (feature: Feature, dumpVsock: FeatureOptions["dumpVsock"]) => {
    const given = dumpVsock === undefined ? {} : { dumpVsock };
    return lackingOf({ needs: [feature] }, "server", {
      family: FAMILY,
      peerCid: 1,
      port: 1,
      ...given,
    });
  };
  const nowhere = { cid: 1, port: 1 };
  const closed = { type: 1, state: 7, shutdown: 3, local: nowhere, remote: nowhere, cookie: 1n };
  const listing = (inode: number) => () => Promise.resolve([{ ...closed, inode }]);
  assert.deepEqual(await lackingDump("vsock-diag", listing(5)), []);
  assert.deepEqual(await lackingDump("no-other-sockets", listing(0)), []);
  assert.match(`${await lackingDump("no-other-sockets", listing(5))}`, /listed: stream unconn/);
  assert.match(`${await lackingDump("vsock-diag", undefined)}`, /it lists no unix sockets/);
  for (const errno of [2, 93, 95]) {
    const refuse = () => Promise.reject(new SysError("dump(20)", errno));
    assert.match(`${await lackingDump("vsock-diag", refuse)}`, /^lacks vsock_diag .*: dump\(20\)/);
    assert.deepEqual(await lackingDump("no-other-sockets", refuse), []);
  }
  const EINVAL = 22;
  const broken = () => Promise.reject(new SysError("dump(20)", EINVAL));
  await assert.rejects(lackingDump("vsock-diag", broken), /EINVAL/);
});
