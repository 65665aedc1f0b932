/**
 * Faults of /dev/vsock, each of which a test of its own shows.
 *
 * @module
 */
import type { ShownElsewhere } from "./mutation.ts";

/** The device with a fault. */
export const shownElsewhere: readonly ShownElsewhere[] = [
  {
    id: "device/calls/carries-nothing",
    on: "client",
    what: "/dev/vsock can be read",
    noticed: "client",
    file: "suites/device/calls_test.ts",
    test: "device/calls/carries-nothing fails where /dev/vsock can be read",
  },
  {
    id: "device/calls/requests-are-exact",
    on: "client",
    what: "/dev/vsock ignores a request's type",
    noticed: "client",
    file: "suites/device/calls_test.ts",
    test: "device/calls/requests-are-exact fails where /dev/vsock ignores a request's type",
  },
  {
    id: "device/vhost/guest-cid",
    on: "client",
    what: "/dev/vhost-vsock gives any CID",
    noticed: "client",
    file: "suites/device/vhost_test.ts",
    test: "device/vhost/guest-cid fails where",
  },
];
