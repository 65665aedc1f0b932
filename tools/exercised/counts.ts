/**
 * How often functions of a kernel were entered: probes, and what they counted.
 *
 * @module
 */
import type { Role } from "../../core/case.ts";
import { INLINED } from "./inlined.ts";

/** Where tracefs is in a VM. */
export const TRACEFS = "/sys/kernel/tracing";
/** The kernel's counts of its probes: a name, the hits, and those it missed, a line each. */
const PROFILE = `${TRACEFS}/kprobe_profile`;
/** Where the agents of a VM write down what was entered while their sides ran, a line each. */
export const COUNTS_FILE = "/tmp/exercised.jsonl";

/** How the name of a probe begins that is on what an inlined function calls. */
const VIA = "via_";

/** Hits by the function's name; those of which there are none are left out. */
export type Counts = Readonly<Record<string, number>>;

/** What was counted around the body of a side. */
export interface SideCounts {
  readonly id: string;
  readonly role: Role;
  /**
   * Of each function that was entered meanwhile, its hits when the body began, and when the bodies of
   * both sides had ended and their sockets were closed.
   */
  readonly entered: Readonly<Record<string, readonly [before: number, after: number]>>;
}

/** What was counted around a side's body, from the hits before and after. */
export function sideCounts(id: string, role: Role, before: Counts, after: Counts): SideCounts {
  const entered = Object.entries(after).flatMap(([name, hits]) => {
    const earlier = before[name] ?? 0;
    return hits > earlier ? [[name, [earlier, hits] as const] as const] : [];
  });
  return { id, role, entered: Object.fromEntries(entered) };
}

/**
 * The hits so far of all probes.
 *
 * @param read gives the text of a file below {@linkcode TRACEFS}.
 */
export function countsNow(read: (path: string) => string): Counts {
  const found: Record<string, number> = {};
  for (const [, name = "", hits] of read("kprobe_profile").matchAll(/^\s*(\w+)\s+(\d+)\s+\d+$/gm)) {
    if (Number(hits) === 0) continue;
    if (!name.startsWith(VIA)) {
      found[name] = Number(hits);
      continue;
    }
    const inlined = name.slice(VIA.length);
    const calls = callsBy(
      INLINED[inlined]?.within ?? "",
      read(`events/exercised/${name}/hist`),
    );
    if (calls > 0) found[inlined] = calls;
  }
  return found;
}

/** How often a function made a call, in the text of a probe's histogram of callers. */
function callsBy(caller: string, hist: string): number {
  const lines = hist.matchAll(/^\{ caller: \[\w+\] (\w+).* hitcount:\s*(\d+)/gm);
  return [...lines].reduce((sum, [, name, hits]) => sum + (name === caller ? Number(hits) : 0), 0);
}

/**
 * What a kernel counted while a case ran on it: from when the first of its sides began to when the
 * last had ended.
 */
export function countedFor(sides: readonly SideCounts[]): Counts {
  const counted: Record<string, number> = {};
  for (const name of new Set(sides.flatMap(({ entered }) => Object.keys(entered)))) {
    const spans = sides.flatMap(({ entered }) =>
      entered[name] === undefined ? [] : [entered[name]]
    );
    const first = Math.min(...spans.map(([before]) => before));
    counted[name] = Math.max(...spans.map(([, after]) => after)) - first;
  }
  return counted;
}

/** The modules of AF_VSOCK, as /proc/kallsyms names them. */
const MODULES = /^\[(vsock|vsock_diag|vsock_loopback|vhost_vsock|vmw_vsock_virtio_.*)\]$/;
/** Names that compilers and tracepoints make. */
const NO_FUNCTION =
  /^(__(pfx|cfi|SCT|bpf_trace|probestub|traceiter)_|(perf_)?trace_|(init|cleanup)_module)/;

/** A place in a kernel's code that tells when a function is entered. */
export interface Probe {
  /** The function. */
  readonly name: string;
  /** What the probe is on, as kprobe_events takes it: `module:symbol`. */
  readonly symbol: string;
  /** Where that is not the function itself: the function whose calls of it count. */
  readonly within?: string;
}

/**
 * Where to count functions of a kernel. What its compiler has put into others, and
 * {@linkcode INLINED} does not know, has no such place.
 *
 * @param kallsyms the lines of /proc/kallsyms that {@linkcode likelyNames} match.
 * @param every count all functions of AF_VSOCK as well.
 */
export function probesFor(
  kallsyms: string,
  names: ReadonlySet<string>,
  every = false,
): readonly Probe[] {
  const symbols = new Map<string, string>();
  const wanted = new Set(names);
  for (const line of kallsyms.split("\n")) {
    const [, type = "", symbol = "", module = ""] = line.split(/\s+/);
    const name = symbol.replace(/(\.(isra|constprop|part)\.\d+)+$/, "");
    if (!/^[tTwW]$/.test(type) || !/^\w+$/.test(name)) continue;
    // A whole function is to be had rather than a part of it.
    if (symbols.has(name) && symbol !== name) continue;
    symbols.set(name, `${module === "" ? "" : `${module.slice(1, -1)}:`}${symbol}`);
    if (every && MODULES.test(module) && !NO_FUNCTION.test(name)) wanted.add(name);
  }
  return [...wanted].flatMap((name): Probe[] => {
    const own = symbols.get(name);
    if (own !== undefined) return [{ name, symbol: own }];
    const telling = INLINED[name];
    const symbol = telling && symbols.get(telling.callee);
    if (symbol === undefined || telling === undefined || !symbols.has(telling.within)) return [];
    return [{ name, symbol, within: telling.within }];
  });
}

/** An extended regular expression that matches the names of all that may have to be probed. */
export function likelyNames(names: ReadonlySet<string>): string {
  const telling = Object.values(INLINED).flatMap(({ callee, within }) => [callee, within]);
  return ["vsock", "virtio_transport", ...names, ...telling].join("|");
}

/** A script that puts probes on the kernel under it, and says which are refused. */
export function probeScript(probes: readonly Probe[]): string {
  const lines = probes.map(({ name, symbol, within }) =>
    within === undefined
      ? `p:exercised/${name} ${symbol}`
      : `p:exercised/${VIA}${name} ${symbol} caller=$caller:x64`
  );
  const hists = probes.filter(({ within }) => within !== undefined).map(({ name }) =>
    `echo hist:keys=caller.sym > events/exercised/${VIA}${name}/trigger`
  );
  return [
    `[ -e ${PROFILE} ] || mount -t tracefs tracefs ${TRACEFS}`,
    `cd ${TRACEFS}`,
    // The hits are counted all the same.
    "echo 0 > tracing_on",
    // Where a function finds the address that it returns to, when it is entered.
    "case $(uname -m) in aarch64) caller=%lr ;; *) caller='+0($stack)' ;; esac",
    "cat > /tmp/probes <<PROBES",
    ...lines,
    "PROBES",
    // All at once takes seconds where one by one takes minutes.
    "cat /tmp/probes > kprobe_events || {",
    "  : > kprobe_events",
    "  while read -r probe; do",
    '    echo "$probe" >> kprobe_events || echo "refused: $probe"',
    "  done < /tmp/probes",
    "}",
    ...hists,
    // An emulated guest in an emulated host stalls while its code is changed, and is slower
    // with it: for the kernel's watchdogs, which are not what is looked at, too slow.
    "echo 0 > /proc/sys/kernel/watchdog",
    "echo 1 > events/exercised/enable",
    "",
  ].join("\n");
}

/** The functions whose probes {@linkcode probeScript} said were refused. */
export function refusedIn(output: string): ReadonlySet<string> {
  const lines = output.matchAll(/^refused: p:exercised\/(\w+)/gm);
  return new Set([...lines].map(([, name = ""]) => name.replace(VIA, "")));
}
