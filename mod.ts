/**
 * The tool as a library: cases and their catalogue, sockets over libc, the control channel, and
 * runs of cases between two ends with their reports.
 *
 * @example A socket, and an error that carries the call and the errno's name
 * ```ts
 * import { Socket, SysError, unixStandIn } from "@vsock/conformance";
 *
 * using socket = Socket.open(unixStandIn("example"), "stream");
 * try {
 *   await socket.connect({ cid: 1, port: 1234 });
 * } catch (error) {
 *   if (error instanceof SysError) console.log(error.code); // ECONNREFUSED
 * }
 * ```
 *
 * @module
 */
export {
  type Case,
  type CaseInfo,
  type Feature,
  FEATURES,
  kernel,
  type Level,
  man,
  type Need,
  type Reference,
  type Role,
  spec,
  upstream,
} from "./core/case.ts";
export { Check, ClaimError, type Coded } from "./kit/check.ts";
export type { Held } from "./core/leak_check.ts";
export type { Splat } from "./core/splat.ts";
export type { Harm } from "./core/taint.ts";
export type {
  CaseRun,
  ConfigFacts,
  EndFacts,
  EventSink,
  LabFacts,
  LeakFacts,
  Retry,
  RunEvent,
  RunFacts,
  VmFacts,
} from "./core/event.ts";
export {
  countOutcomes,
  type Counts,
  EXIT,
  exitCode,
  type Outcome,
  type SideReport,
  type SideState,
  type Verdict,
} from "./core/outcome.ts";
export {
  type Direction,
  DIRECTION_CHOICES,
  type DirectionChoice,
  directionsOf,
  type Planned,
  planRun,
  type Topology,
} from "./core/plan.ts";
export { Random } from "./core/random.ts";
export { Baseline, BaselineError, type Judged } from "./core/baseline.ts";
export { ExpectedError } from "./core/error.ts";
export { type Outcomes, type Round, type RoundOptions, roundsOf } from "./core/round.ts";
export { select, UnmatchedSelectorError } from "./core/selector.ts";
export {
  type AgentServices,
  type RecoveredReport,
  serveController,
  type SideOrder,
  type SideRunner,
} from "./agent/session.ts";
export {
  type ByteStream,
  connectControl,
  type ControlAddress,
  type KeepAlive,
  LineChannel,
  listenControl,
  PeerGoneError,
  SilentPeerError,
} from "./control/channel.ts";
export { streamPair } from "./control/stream_pair.ts";
export type { Ends } from "./runner/case.ts";
export { BusyError, type Greeting, type PortRange, RefusedError } from "./control/greeting.ts";
export { End, type EndOptions, type SideFollower } from "./runner/end.ts";
export { type PluggedDevice, Qmp } from "./control/qmp.ts";
export { type RunOptions, runPlan, type RunResult } from "./runner/run.ts";
export type { VerdictOptions } from "./runner/verdicts.ts";
export type { CaseLines } from "./control/lines.ts";
export { type Order, ProtocolError, type SideStart, type StartOrder } from "./control/wire.ts";
export {
  type Change,
  type ChangeKind,
  type DiffOptions,
  diffReports,
  isRegression,
} from "./report/diff.ts";
export { REPORT_FORMATS, type ReportFormat } from "./report/formats.ts";
export { KtapWriter } from "./report/ktap.ts";
export {
  type IntendedRun,
  type NotStarted,
  replay,
  REPORT_FORMAT,
  REPORT_VERSION,
  ReportBuilder,
  type ReportedCase,
  ReportError,
  reportNotStarted,
  type RunReport,
  type RunSetting,
  type Stopped,
} from "./report/model.ts";
export { renderReport } from "./report/render.ts";
export { parseReport } from "./report/schema.ts";
export { TerminalWriter } from "./report/terminal.ts";
export { CATALOGUE, findCase } from "./suites/catalogue.ts";
export { executeSide, type SideOptions } from "./agent/execute.ts";
export { type CaseContext, type ConformanceCase, defineCase } from "./kit/mod.ts";
export { Peer, type PeerContext } from "./kit/peer.ts";
export type { Machine, Place } from "./kit/machine.ts";
export type { Surroundings } from "./kit/environment.ts";
export { Vsock, type VsockOptions } from "./kit/vsock.ts";
export { type NamespaceMode, NetNamespace } from "./sys/net_namespace.ts";
export { VSOCK_SYSCTLS, type VsockSysctl } from "./sys/sysctl.ts";
export { VhostVsock } from "./sys/dev_vhost_vsock.ts";
export { type VsockDeviceEntry, vsockDevices } from "./sys/virtio_devices.ts";
export { VsockDevice } from "./sys/dev_vsock.ts";
export { ERRNO_TABLE, type ErrnoName, StillBlockedError, SysError } from "./sys/errno.ts";
export { IoUring } from "./sys/io_uring.ts";
export type { RingCompletion, RingLayout } from "./sys/io_uring_abi.ts";
export type { Argument, Completion } from "./sys/libc.ts";
export { type DiagSocket, dumpVsock } from "./sys/sock_diag.ts";
export { type CallContext, Descriptor } from "./sys/descriptor.ts";
export { type RawMemory, type ReceivedMessage, Socket, type SocketType } from "./sys/socket.ts";
export {
  type Address,
  type AddressFamily,
  type Bytes,
  type ControlMessage,
  type IoVector,
  unixStandIn,
  VSOCK,
} from "./sys/structs.ts";
export { type Screen } from "./report/screen.ts";
