/**
 * Sockets that answer otherwise than the model says.
 *
 * @module
 */
import type { ShownElsewhere } from "./mutation.ts";

const FAULTS = ["POLLRDHUP is lost", "bind() of a bound socket succeeds"] as const;

/** What is shown with puppets. */
export const shownElsewhere: readonly ShownElsewhere[] = (["stream", "seqpacket"] as const).flatMap(
  (type) =>
    FAULTS.map((what) => ({
      id: `explored/${type}/as-modelled`,
      on: "client" as const,
      what: `calls are answered as where ${what}`,
      noticed: "client" as const,
      file: "suites/explored/calls_test.ts",
      test: `"${what}"`,
    })),
);
