/**
 * What the cases of diag/ must notice.
 *
 * @module
 */
import type { ShownElsewhere } from "./mutation.ts";

/** Lists of sockets that are wrong. */
export const shownElsewhere: readonly ShownElsewhere[] = [
  {
    id: "diag/dump/lists-no-socket",
    on: "server",
    what: "sock_diag lists a socket that was closed",
    noticed: "server",
    file: "suites/diag/dump_test.ts",
    test: "diag/dump/lists-no-socket fails where a closed socket stays listed",
  },
  {
    id: "diag/dump/lists-listener",
    on: "server",
    what: "sock_diag ignores the bitmap of states",
    noticed: "server",
    file: "suites/diag/dump_test.ts",
    test: "diag/dump/lists-listener fails where the bitmap of states is ignored",
  },
  {
    id: "diag/dump/lists-connection",
    on: "client",
    what: "sock_diag gives a wrong entry for a connection",
    noticed: "client",
    file: "suites/diag/dump_test.ts",
    test: "diag/dump/lists-connection fails where",
  },
  {
    id: "diag/dump/six-hundred-once-each",
    on: "client",
    what: "sock_diag leaves out a socket",
    noticed: "client",
    file: "suites/diag/requests_test.ts",
    test: "diag/dump/six-hundred-once-each fails where",
  },
  ...["stream", "seqpacket"].map((type): ShownElsewhere => ({
    id: `diag/dump/${type}-connection-in-part`,
    on: "client",
    what: "sock_diag shows no directions that are shut",
    noticed: "client",
    file: "suites/diag/requests_test.ts",
    test: "a connection in part fails where",
  })),
  {
    id: "diag/request/malformed-is-refused",
    on: "client",
    what: "sock_diag answers every request",
    noticed: "client",
    file: "suites/diag/requests_test.ts",
    test: "diag/request/malformed-is-refused fails where",
  },
];
