import assert from "node:assert/strict";
import { BaselineError } from "../core/baseline.ts";
import { ExpectedError, UsageError } from "../core/error.ts";
import { UnmatchedSelectorError } from "../core/selector.ts";
import { ListenError, PeerGoneError, SilentPeerError } from "../control/channel.ts";
import { BusyError, RefusedError } from "../control/greeting.ts";
import { ProtocolError } from "../control/wire.ts";
import {
  KernelDeathError,
  LabError,
  LabUsageError,
  LateError,
  VmLostError,
  VmStalledError,
} from "../lab/error.ts";
import { ReportError } from "../report/model.ts";
import { OutputError } from "../report/screen.ts";

Deno.test("an expected error carries the exit code that docs/outcomes.md gives it", () => {
  const kinds = [
    [2, UsageError, BaselineError, ListenError, PeerGoneError, SilentPeerError, ReportError],
    [2, ProtocolError, RefusedError, BusyError, LabUsageError],
    [69, LabError, LateError, VmLostError, VmStalledError],
    [1, KernelDeathError],
  ] as const;
  for (const [code, ...classes] of kinds) {
    for (const Kind of classes) {
      const error = new Kind("why");
      assert.ok(error instanceof ExpectedError, Kind.name);
      assert.equal(error.exitCode, code, Kind.name);
    }
  }
  assert.equal(new UnmatchedSelectorError("x", "no case matches").exitCode, 2);
  const out = (cause: Error) => new OutputError(Deno.stdout, cause).exitCode;
  assert.equal(out(new Deno.errors.BrokenPipe("nobody")), 141);
  assert.equal(out(new Error("no space")), 2);
});
