/**
 * The command `probe`: shows what this machine and its kernel support. Cases that need a missing
 * feature are skipped; the same code decides that.
 *
 * @module
 */
import { oneLine } from "../core/clean.ts";
import { type Feature, FEATURES } from "../core/case.ts";
import type { EndFacts } from "../core/event.ts";
import { EXIT } from "../core/outcome.ts";
import { endText } from "../report/text.ts";
import { localCidsOf, THIS_MACHINE } from "../kit/machine.ts";
import { AF_VSOCK } from "../sys/constants.ts";
import { CAPABILITIES, hasCapability } from "../sys/capabilities.ts";
import { SysError } from "../sys/errno.ts";
import { registeredTransports, type Transport } from "../sys/transports.ts";
import { VSOCK_SYSCTLS, vsockSysctl } from "../sys/sysctl.ts";
import { type VsockDeviceEntry, vsockDevices } from "../sys/virtio_devices.ts";
import { DEFAULT_PORT } from "./options/run.ts";
import { featuresOf, ownFacts } from "../agent/side.ts";
import { screenOf } from "../report/screen.ts";
import { Watches } from "../agent/watches.ts";
import { familyOf, type SideSettings } from "../agent/settings.ts";

/** Options of `probe`. */
export interface ProbeOptions extends SideSettings {
  readonly json?: boolean | undefined;
}

/** The results, as printed by `--json`. */
export interface Probed {
  /** The same facts that an end of a run reports. */
  readonly facts: EndFacts;
  readonly deno: string;
  /** The user id. */
  readonly uid: number | null;
  /** Whether this process has each capability that some cases need. */
  readonly capabilities: Readonly<Record<keyof typeof CAPABILITIES, boolean>>;
  /** The loaded transports of AF_VSOCK. */
  readonly transports: readonly Transport[];
  /** The CIDs of this machine, or why they are unknown. */
  readonly localCids: readonly number[] | string;
  /** The vsock devices of a guest. */
  readonly devices: readonly VsockDeviceEntry[];
  /** The sysctls net.vsock.*; null if the kernel lacks one. */
  readonly sysctls: Readonly<Record<string, string | null>>;
  /** The CID of the peer, which decides the transport and thereby the features. */
  readonly peerCid: number;
  /** For each feature, why it is missing; null if it is not. */
  readonly features: Readonly<Record<Feature, string | null>>;
}

/** Prints the results. */
export async function probe(options: ProbeOptions): Promise<number> {
  const found = await probeHere(options);
  const text = options.json ? `${JSON.stringify(found, null, 2)}\n` : probedText(found);
  screenOf(Deno.stdout).write(text);
  return EXIT.ok;
}

async function probeHere(options: ProbeOptions): Promise<Probed> {
  const watched = await Watches.possible(options);
  const isVsock = familyOf(options).domain === AF_VSOCK;
  const lacking = await featuresOf(options, DEFAULT_PORT);
  return {
    facts: ownFacts("here", options, watched),
    deno: Deno.version.deno,
    uid: Deno.uid(),
    capabilities: mapped(CAPABILITIES, hasCapability),
    transports: isVsock ? registeredTransports() : [],
    localCids: isVsock ? localCids() : [],
    devices: isVsock ? vsockDevices() : [],
    sysctls: Object.fromEntries(VSOCK_SYSCTLS.map((name) => [name, vsockSysctl(name) ?? null])),
    peerCid: options.peerCid,
    features: mapped(lacking, (why) => why ?? null),
  };
}

function mapped<K extends string, V, W>(
  from: Readonly<Record<K, V>>,
  change: (value: V) => W,
): Record<K, W> {
  const entries = Object.entries<V>(from).map(([key, value]) => [key, change(value)]);
  return Object.fromEntries(entries);
}

function localCids(): readonly number[] | string {
  try {
    return localCidsOf(THIS_MACHINE.place());
  } catch (error) {
    if (error instanceof SysError) return error.message;
    throw error;
  }
}

/** The results as text that ends with a newline. */
export function probedText(found: Probed): string {
  const { facts, deno, uid, capabilities, transports, devices, sysctls, peerCid } = found;
  const cids = Array.isArray(found.localCids) ? found.localCids.join(", ") : found.localCids;
  const line = (name: string, value: string) => `  ${name.padEnd(16)} ${value || "none"}`;
  const list = (values: readonly string[]) => values.join(", ");
  const held = Object.entries(capabilities).filter(([, has]) => has).map(([name]) => name);
  const known = Object.entries(sysctls).filter(([, value]) => value !== null);
  const lines = [
    endText(facts),
    line("tool", `${facts.version}, Deno ${deno}`),
    line("user", `${uid}`),
    line("capabilities", list(held)),
    line("transports", list(transports)),
    line("local CIDs", `${cids}`),
    line("devices", list(devices.map(({ name, bound }) => `${name}${bound ? "" : " (unused)"}`))),
    line("net.vsock", list(known.map(([name, value]) => `${name}=${value}`))),
    "",
    `features, opposite CID ${peerCid}`,
    ...Object.entries(found.features).map(([name, why]) => {
      const shown = why === null ? FEATURES[name as Feature] : why;
      return `  ${why === null ? "yes" : "no "} ${name.padEnd(17)} ${shown}`;
    }),
  ];
  return lines.map((line) => `${oneLine(line)}\n`).join("");
}
