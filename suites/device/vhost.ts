/**
 * /dev/vhost-vsock: which CIDs a guest can be given.
 *
 * @module
 */
import {
  type ConformanceCase,
  defineCase,
  FOREIGN_CID,
  kernel,
  spec,
  VMADDR_CID_ANY,
  VMADDR_CID_HOST,
} from "../../kit/mod.ts";

/** CIDs that mean something else, and one that has no 32 bits. */
const RESERVED = [0, 1, VMADDR_CID_HOST, VMADDR_CID_ANY, 2 ** 32, 2 ** 32 + FOREIGN_CID];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineCase({
    id: "device/vhost/guest-cid",
    title: "a guest is given a CID that nobody has, and no reserved one",
    requirement:
      "VHOST_VSOCK_SET_GUEST_CID MUST fail with EINVAL for a reserved CID and EADDRINUSE for " +
      "another guest's, and take the same CID twice and one that is free again",
    refs: [spec("5.10.4 Device configuration layout"), kernel("vhost_vsock_set_cid")],
    needs: [{ client: "vhost-device" }],
    alone: "another case may ask for the same CID",
    does: {
      client: "checks that a device refuses the CIDs 0, 1, 2, 4294967295 and two beyond 32 bits, " +
        "keeps one when it is set twice, and that a second device gets that CID only when the " +
        "first has another or is closed",
    },
    async client({ vsock, check }) {
      using first = vsock.vhost();
      using second = vsock.vhost();
      for (const cid of RESERVED) {
        await check.fails("EINVAL", `the CID ${cid}`, () => first.setGuestCid(cid));
      }
      const [one, other] = [FOREIGN_CID, FOREIGN_CID + 1];
      for (const what of ["a CID", "the same CID again"]) {
        await check.succeeds(what, () => first.setGuestCid(one));
      }
      await check.fails("EADDRINUSE", "a CID that is taken", () => second.setGuestCid(one));
      await check.succeeds("another CID", () => first.setGuestCid(other));
      await check.succeeds("a CID that was given up", () => second.setGuestCid(one));
      await check.fails("EADDRINUSE", "one that is taken now", () => second.setGuestCid(other));
      first[Symbol.dispose]();
      await check.succeeds("the CID of a closed device", () => second.setGuestCid(other));
    },
  }),
];
