/**
 * Finds out, before a case begins and with sockets of its own, which optional features this side
 * has, so that a case that needs a missing one is skipped instead of failing halfway.
 *
 * @module
 */
import { type CaseInfo, type Feature, FEATURES, neededOf, type Role } from "../core/case.ts";
import {
  AF_VSOCK,
  SIOCINQ,
  SIOCOUTQ,
  SO_ZEROCOPY,
  SOL_SOCKET,
  VMADDR_CID_HOST,
  VMADDR_CID_HYPERVISOR,
  VMADDR_PORT_ANY,
} from "../sys/constants.ts";
import { connectInBackground } from "./connect_timeout.ts";
import { VsockDevice } from "../sys/dev_vsock.ts";
import { SysError } from "../sys/errno.ts";
import { IoUring } from "../sys/io_uring.ts";
import { IORING_OP_SENDMSG_ZC } from "../sys/io_uring_abi.ts";
import { registeredTransports } from "../sys/transports.ts";
import { isKernelIn } from "../core/baseline.ts";
import { SockMap } from "../sys/bpf.ts";
import { NetNamespace } from "../sys/net_namespace.ts";
import { type DiagSocket, dumpVsock } from "../sys/sock_diag.ts";
import { Socket, type SocketType } from "../sys/socket.ts";
import { VhostVsock } from "../sys/dev_vhost_vsock.ts";
import { vsockDevices } from "../sys/virtio_devices.ts";
import { describeSocket } from "./sock_diag.ts";
import { ofVsock, PLACE_PROBES } from "./machine_features.ts";
import type { FeatureOptions, Probe } from "./probe.ts";

/**
 * The CIDs that are tried to find other transports than a guest's: 0 to 3, as in the kernel's
 * tests.
 */
export const LOCAL_CIDS: readonly number[] = Array.from(
  { length: VMADDR_CID_HOST + 2 },
  (_, i) => VMADDR_CID_HYPERVISOR + i,
);

/** The features that a side of a case needs but lacks, one line each. */
export async function lackingOf(
  definition: Pick<CaseInfo, "needs">,
  role: Role,
  options: FeatureOptions,
): Promise<string[]> {
  const lacking: string[] = [];
  for (const feature of neededOf(definition, role)) {
    const why = await PROBES[feature](options);
    if (why !== undefined) lacking.push(`lacks ${FEATURES[feature]}: ${why}`);
  }
  return lacking;
}

/** For each feature, why this side lacks it; undefined if it does not. */
export async function featuresHere(
  options: FeatureOptions,
): Promise<Readonly<Record<Feature, string | undefined>>> {
  const found: Partial<Record<Feature, string | undefined>> = {};
  const features = Object.keys(FEATURES) as Feature[];
  const unreachable = probeReach(options);
  for (const feature of features) {
    try {
      const why = await PROBES[feature](options);
      const isOpposite = unreachable !== undefined && OPPOSITE_PEER.includes(feature);
      found[feature] = why ?? (isOpposite ? `cannot be told: ${unreachable}` : undefined);
    } catch (error) {
      // For a case this is not a missing feature but an error, which breaks it.
      if (!(error instanceof SysError)) throw error;
      found[feature] = `cannot be told: ${error.message}`;
    }
  }
  return found as Readonly<Record<Feature, string | undefined>>;
}

const PROBES: Readonly<Record<Feature, Probe>> = {
  seqpacket: (options) =>
    options.hybrid !== undefined
      ? "a hybrid Unix socket has streams alone"
      : refusal(["ESOCKTNOSUPPORT"], () => {
        using socket = open("seqpacket", options);
        startConnecting(socket, options);
      }),
  zerocopy: probeZerocopy,
  siocoutq: (options) => probeIoctl(SIOCOUTQ, options),
  siocinq: (options) => probeIoctl(SIOCINQ, options),
  "vsock-diag": async (options) => {
    const listed = await dump(options);
    return typeof listed === "string" ? listed : undefined;
  },
  "no-other-sockets": async (options) => {
    const listed = await dump(options);
    if (typeof listed === "string") return undefined;
    // A socket without a file was closed, and is still shutting down its connection.
    const others = listed.filter(({ inode }) => inode !== 0);
    return others.length === 0 ? undefined : `listed: ${others.map(describeSocket).join("; ")}`;
  },
  "io-uring": (options) => refusal(NO_RING, () => openRing(options)[Symbol.dispose]()),
  "sendmsg-zc": probeSendmsgZc,
  "local-transport": probeLocalTransport,
  ...PLACE_PROBES,
  "several-devices": probeSeveralDevices,
  "unused-device": ({ family, deviceList = vsockDevices }) => {
    if (family.domain !== AF_VSOCK && deviceList === vsockDevices) return "it has no transports";
    const devices = deviceList();
    if (devices.some(({ bound }) => !bound)) return undefined;
    return devices.length === 0 ? "this machine has none" : `all ${devices.length} have a driver`;
  },
  "guest-monitor": ({ guestMonitor }) =>
    guestMonitor === undefined ? "it was not given to this side" : undefined,
  "hybrid": ({ hybrid }) => hybrid === undefined ? "it was not given to this side" : undefined,
  "namespaces": probeNamespaces,
  "sockmap": ofVsock("sockMapClass", probeSockMap),
  "vhost-device": ofVsock(
    "vhostClass",
    ({ vhostClass = VhostVsock }) =>
      refusal(["ENOENT", "ENODEV", "ENXIO", "EACCES"], () => vhostClass.open()[Symbol.dispose]()),
  ),
};

function probeSeveralDevices(options: FeatureOptions): string | undefined {
  const { family, deviceClass = VsockDevice, deviceList = vsockDevices } = options;
  if (family.domain !== AF_VSOCK && deviceClass === VsockDevice) return "it has no transports";
  let cids: readonly number[] = [];
  const refused = refusal(["ENOTTY", "ENOENT", "EACCES"], () => {
    using device = deviceClass.open();
    cids = device.localCids();
  });
  if (refused === undefined) {
    return cids.length > 1 ? undefined : `it lists ${cids.join() || "none"}`;
  }
  const devices = deviceList();
  const unused = devices.filter(({ bound }) => !bound).map(({ name }) => name);
  if (unused.length === 0) return refused;
  return `${refused}; this kernel's driver takes one device and refuses the others with EBUSY ` +
    `(virtio_vsock_probe): of ${devices.length} it left out ${unused.join(", ")}`;
}

/** Cases create namespaces of both modes, which the mode of this machine's namespace must allow. */
function probeNamespaces(options: FeatureOptions): string | undefined {
  const { family, namespaceClass = NetNamespace } = options;
  if (family.domain !== AF_VSOCK && options.namespaceClass === undefined) {
    return `its sockets are ${family.name}`;
  }
  return refusal(
    ["EPERM", "EINVAL", "ENOSYS"],
    () => namespaceClass.create("global")[Symbol.dispose](),
  ) ??
    modeRefusal(namespaceClass);
}

function probeSockMap({ sockMapClass = SockMap }: FeatureOptions): string | undefined {
  const release = Deno.osRelease();
  if (sockMapClass === SockMap && !isKernelIn(release, ">=6.4")) return `this is Linux ${release}`;
  const lacks = ["EPERM", "EACCES", "EINVAL", "ENOSYS"];
  return refusal(lacks, () => sockMapClass.create(1)[Symbol.dispose]());
}

function modeRefusal(namespaceClass: typeof NetNamespace): string | undefined {
  using namespace = namespaceClass.create("global");
  const mode = namespace.read("ns_mode");
  if (mode === undefined) return "no sysctl net.vsock.ns_mode (it came with Linux 7.0)";
  return mode === "global" ? undefined : `children of this one are ${mode}`;
}

/**
 * Errors of a sock_diag dump if vsock_diag, or sock_diag itself, is neither built in nor loaded.
 */
const NO_DIAG = ["ENOENT", "EOPNOTSUPP", "EPROTONOSUPPORT"];

/** Errors of io_uring_setup(2) if it is not built in, or is disabled by a sysctl or by seccomp. */
const NO_RING = ["ENOSYS", "EPERM"];

/** The kernel's AF_VSOCK sockets, or why it cannot list them. */
async function dump(options: FeatureOptions): Promise<DiagSocket[] | string> {
  const { family, context, dumpVsock: ask = dumpVsock } = options;
  if (family.domain !== AF_VSOCK && ask === dumpVsock) return `it lists no ${family.name} sockets`;
  try {
    return await ask(undefined, context);
  } catch (error) {
    if (error instanceof SysError && NO_DIAG.includes(error.code)) return error.message;
    throw error;
  }
}

function openRing({ ringClass = IoUring }: FeatureOptions): IoUring {
  return ringClass.open(1);
}

function probeSendmsgZc(options: FeatureOptions): string | undefined {
  let supported = true;
  const refused = refusal(NO_RING, () => {
    using ring = openRing(options);
    supported = ring.supports(IORING_OP_SENDMSG_ZC);
  });
  return refused ?? (supported ? undefined : "IORING_REGISTER_PROBE does not list it");
}

/**
 * Before a transport is assigned any kernel that knows SO_ZEROCOPY for AF_VSOCK takes it
 * (vsock_connectible_setsockopt); connect() then says whether the transport has it.
 */
function probeZerocopy(options: FeatureOptions): string | undefined {
  using socket = open("stream", options);
  try {
    socket.setInt(SOL_SOCKET, SO_ZEROCOPY, 1);
  } catch (error) {
    if (error instanceof SysError) return error.message;
    throw error;
  }
  return refusal(["EOPNOTSUPP"], () => startConnecting(socket, options));
}

function probeIoctl(request: number, options: FeatureOptions): string | undefined {
  using socket = open("stream", options);
  // Whether it succeeds or not, connect() has assigned the transport that implements the ioctl.
  refusal([], () => startConnecting(socket, options));
  return refusal(["EOPNOTSUPP", "ENOTTY"], () => socket.ioctlInt(request));
}

/** A probe that asks the transport to the peer, if there is one. */
const OPPOSITE_PEER: readonly Feature[] = ["seqpacket", "zerocopy", "siocoutq", "siocinq"];

/** Why no transport serves connections to the peer. */
function probeReach(options: FeatureOptions): string | undefined {
  using socket = open("stream", options);
  return refusal(["ENODEV"], () => startConnecting(socket, options));
}

function probeLocalTransport(options: FeatureOptions): string | undefined {
  if (LOCAL_CIDS.some((cid) => hasLocalTransport(cid, options))) return undefined;
  return `registered transports: ${registeredTransports().join(", ") || "none is known"}`;
}

/** Whether a local CID can be bound, and a transport serves connections to it. */
function hasLocalTransport(cid: number, options: FeatureOptions): boolean {
  using bound = open("stream", options);
  const refused = refusal(["EADDRNOTAVAIL"], () => bound.bind({ cid, port: VMADDR_PORT_ANY }));
  if (refused !== undefined) return false;
  using socket = open("stream", options);
  const connect = () => startConnecting(socket, { ...options, peerCid: cid });
  return refusal(["ENODEV"], connect) === undefined;
}

function open(type: SocketType, { family, socketClass = Socket }: FeatureOptions): Socket {
  return socketClass.open(family, type);
}

/**
 * Begins to connect to a port at which nobody listens, without waiting for the answer.
 *
 * @throws {SysError} EINPROGRESS, or another error if it cannot even begin.
 */
function startConnecting(socket: Socket, { peerCid, port }: FeatureOptions): void {
  connectInBackground(socket);
  socket.connectHere({ cid: peerCid, port: port + 1 });
}

/** The message of the error with which a call fails, if it is one of these. */
function refusal(codes: readonly string[], call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (codes.includes(error.code)) return error.message;
  }
  return undefined;
}
