/**
 * What the cases of uring/ must notice.
 *
 * @module
 */
import type { ShownElsewhere } from "./mutation.ts";

/** Rings that err. */
export const shownElsewhere: readonly ShownElsewhere[] = [
  {
    id: "uring/sendmsg/arrives-whole",
    on: "client",
    what: "io_uring sends the pieces in another order",
    noticed: "server",
    file: "suites/uring/stream_test.ts",
    test: "uring/sendmsg/arrives-whole fails where the pieces are sent in another order",
  },
  {
    id: "uring/sendmsg-zc/arrives-whole-and-notifies",
    on: "client",
    what: "io_uring announces no notification",
    noticed: "client",
    file: "suites/uring/stream_test.ts",
    test: "uring/sendmsg-zc fails where no notification is announced",
  },
];
