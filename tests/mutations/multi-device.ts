/**
 * What the cases of multi-device/ must notice.
 *
 * @module
 */
import { KERNEL_FAULTS, KERNEL_FAULTS_TEST } from "./kernel_faults.ts";
import type { ShownElsewhere } from "./mutation.ts";

/** Kernels that err. */
export const shownElsewhere: readonly ShownElsewhere[] = [
  ...KERNEL_FAULTS.flatMap(({ ids, guest, what }) =>
    ids.map((id): ShownElsewhere => ({
      ...{ id, what: `kernel errs: ${what}`, on: guest, noticed: guest },
      file: KERNEL_FAULTS_TEST,
      test: "every case of several devices notices kernels that err",
    }))
  ),
];
