/**
 * The /init of a VM: a script for busybox.
 *
 * @module
 */

import type { ArchTraits } from "../arch.ts";
import type { Module } from "../kernel/modules.ts";
import { TOKEN_FILE } from "../token.ts";
import {
  AGENT_PORT,
  GUEST_CID,
  GUEST_MONITOR,
  MARKS,
  SECOND_PORT,
  type VmRole,
} from "../layout.ts";

/** In the lab's VMs, cases may use any AF_VSOCK port that can be bound. */
const ALL_PORTS = "0-4294967294";

/** The command with which users start the tool on their own machines, as in the README. */
const TOOL = "deno run -A vsock-conformance.js";

/**
 * Writes the script.
 *
 * @param guest QEMU's arguments for the guest of a host, except for the processor.
 * @param guestCid the CID at which a host's agent reaches its guest.
 */
export function initScript(
  arch: ArchTraits,
  role: VmRole,
  modules: readonly Pick<Module, "name" | "parameters">[],
  guest: readonly string[] = [],
  guestCid = GUEST_CID,
): string {
  return [
    PREPARE,
    heartbeat(role),
    ...modules.map(({ name, parameters = "" }) => `insmod /modules/${name}.ko ${parameters}`),
    SETTLE,
    `echo "${MARKS.booted} after $(cut -d' ' -f1 /proc/uptime) s"`,
    ...agents(role, guestCid),
    ...(role === "host" ? [startGuest(arch, guest)] : []),
    shells(arch, role),
    "while :; do sleep 3600; done",
    "",
  ].join("\n");
}

const PREPARE = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/base/bin:/bin HOME=/tmp DENO_DIR=/tmp/deno DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmp /tmp
mount -t tmpfs shm /dev/shm`;

/**
 * Until its agents listen, a VM writes a line every second to show that it is alive; see
 * lab/vm/boot_watch.ts. In /proc/net/tcp ports are hexadecimal, and state 0A is LISTEN.
 */
function heartbeat(role: VmRole): string {
  const ports = (role === "loopback" ? [AGENT_PORT, SECOND_PORT] : [AGENT_PORT])
    .map((port) => port.toString(16).toUpperCase());
  const listening = `$(grep -cE ':(${ports.join("|")}) .* 0A ' /proc/net/tcp)`;
  return `until [ ${listening} -ge ${ports.length} ]; do
  sleep 1
  echo "lab: up $(cut -d. -f1 /proc/uptime) s"
done && echo "${MARKS.listening}" &`;
}

const SETTLE = `mount -t ext4 -o ro,noload /dev/vda /base || echo "${MARKS.noDisk}"
ln -s /base/usr /usr
ln -s /base/lib64 /lib64
ln -s /base/usr/lib /lib
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
cd /app`;

function agents(role: VmRole, guestCid: number): string[] {
  switch (role) {
    case "loopback":
      return [agent(1, AGENT_PORT), agent(1, SECOND_PORT)];
    case "host":
      return [agent(guestCid, AGENT_PORT, ` --guest-monitor ${GUEST_MONITOR}`)];
    case "guest":
      return [agent(2, AGENT_PORT)];
  }
}

/**
 * Starts an agent, and restarts it if its process dies. Outside the lab the tool does that itself;
 * here a shell does it, since a second Deno process would take seconds to start.
 */
function agent(peerCid: number, port: number, more = ""): string {
  const command = `${TOOL} agent --peer-cid ${peerCid} --listen 0.0.0.0:${port} ` +
    `--token-file ${TOKEN_FILE} --exclusive --ports ${ALL_PORTS}${more}`;
  return `{
  after=
  while :; do
    ${command} --crash-journal /tmp/agent-${port} $after
    status=$?
    case $status in 0|2|129|130|143) break ;; esac
    after="--after $status"
  done
  echo "${MARKS.agentEnded} ($status)"
} &`;
}

/** Starts the guest of a host; without /dev/kvm (if KVM does not nest) it is emulated. */
function startGuest(arch: ArchTraits, args: readonly string[]): string {
  const quoted = args.map((argument) => `'${argument}'`).join(" ");
  return `${arch.guestAccel}
{
  stty -F /dev/${arch.serial.guestConsole} raw -echo
  echo "${MARKS.guestStarted}"
  ${arch.qemu.program} -L /base/usr/share/qemu $accel ${quoted} </dev/null
  echo "${MARKS.guestEnded} ($?)"
} &`;
}

/** Shells on serial ports: the VM's own, and in a host a connection to the guest's. */
function shells({ serial, guestSerial }: ArchTraits, role: VmRole): string {
  const port = role === "guest" ? guestSerial.shell : serial.shell;
  return `while :; do setsid -c sh -l </dev/${port} >/dev/${port} 2>&1; sleep 1; done &`;
}
