/**
 * What the cases of hybrid/ must notice.
 *
 * @module
 */
import { HYBRID_FAULTS } from "../support/hybrid_device.ts";
import type { ShownElsewhere } from "./mutation.ts";

/** Devices in user space that err. */
export const shownElsewhere: readonly ShownElsewhere[] = HYBRID_FAULTS.map(({ id, what }) => ({
  ...{ id, what, on: "client", noticed: "client" } as const,
  file: "suites/hybrid/connect_test.ts",
  test: "every case of hybrid/ fails over a device that errs",
}));
