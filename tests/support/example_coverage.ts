/**
 * A small coverage, for tests.
 *
 * @module
 */
import type { Coverage } from "../../gcov/model.ts";

/** Its only source. */
export const PATH = "net/vmw_vsock/example.c";

/** Two functions: a case ran the first, and a boot a line of the second. */
export function exampleCoverage(): Coverage {
  const line = (line: number, count: number, boot: number, branches: number[] = []) => ({
    ...{ line, count, boot, branches },
    bootBranches: branches.map(() => 0),
  });
  return {
    format: "vsock-conformance/coverage/1",
    kernel: "Linux 7.3.4 x86_64",
    runs: [{ at: "2026-11-28T00:00:00.000Z", topology: "loopback", cases: 1, lost: [] }],
    files: [{
      path: PATH,
      functions: [
        { name: "first", from: 1, to: 4, count: 3, boot: 0 },
        { name: "second", from: 6, to: 8, count: 0, boot: 1 },
      ],
      lines: [line(2, 3, 0), line(3, 3, 0, [3, 0]), line(7, 0, 0), line(8, 0, 1)],
    }],
    cases: [{ id: "stream/close/a", ran: { [PATH]: [[2, 3]] } }],
  };
}
