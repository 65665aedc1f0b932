/**
 * What a VM has in its memory when it boots.
 *
 * @module
 */
import type { Topology } from "../../core/plan.ts";
import { cpio, type CpioEntry } from "./cpio.ts";
import { initScript } from "./init_script.ts";
import { isMultiDevice } from "../kernel/built.ts";
import { guestArguments } from "../vm/qemu_args.ts";
import { labToken, TOKEN_FILE } from "../token.ts";
import type { ImageParts, LabOptions } from "../types.ts";
import { GUEST_CID, GUEST_CIDS, type VmRole } from "../layout.ts";

/** What a VM unpacks into its memory: busybox, the modules, the tool, and a host's guest. */
export async function initramfs(
  role: VmRole,
  parts: ImageParts,
  options: Pick<LabOptions, "topology" | "kernel" | "files">,
): Promise<Uint8Array<ArrayBuffer>> {
  const { topology, files = [] } = options;
  const { arch } = parts;
  const { modules, guestModules = modules } = parts.kernel;
  const own = (role === "host" ? modules : guestModules).filter(({ name }) =>
    wanted(role, topology, name)
  );
  const cids = hasSeveralDevices(options) ? GUEST_CIDS : [GUEST_CID];
  const guest = role === "host" ? guestArguments(arch, cids) : [];
  const script = initScript(arch, role, own, guest, cids[0]);
  const guestFiles: CpioEntry[] = role !== "host" ? [] : [
    { path: "guest", folder: true },
    { path: "guest/vmlinuz", data: await Deno.readFile(parts.kernel.vmlinuz) },
    { path: "guest/initrd", data: await initramfs("guest", parts, options) },
  ];
  return cpio([
    ...["app", "base", "bin", "dev", "modules", "proc", "sys", "tmp"]
      .map((path) => ({ path, folder: true } as const)),
    { path: "init", data: new TextEncoder().encode(script), executable: true },
    { path: "bin/busybox", data: await Deno.readFile(parts.busybox), executable: true },
    { path: "app/vsock-conformance.js", data: parts.bundle },
    { path: `app/${TOKEN_FILE}`, data: new TextEncoder().encode(await labToken()) },
    ...own.map(({ name, data }) => ({ path: `modules/${name}.ko`, data })),
    ...guestFiles,
    ...files,
  ]);
}

/**
 * A guest must not offer what only hosts have, unless it is to be a host as well; and a host's
 * kernel must not be a guest's.
 */
function wanted(role: VmRole, topology: Topology, module: string): boolean {
  const both = role === "guest" && topology === "three-cids";
  const hostOnly = (both ? /^(kvm|irqbypass|ccp)/ : /^(kvm|vhost|irqbypass|ccp)/).test(module);
  const guestOnly = module === "vmw_vsock_virtio_transport";
  // Loopback has what a host has whose kernel found no device: a socket can move between transports.
  if (role === "loopback") return !/^(kvm|irqbypass|ccp)/.test(module);
  return role === "host" ? !guestOnly : !hostOnly;
}

/** Whether the guest has more than one device, which is what such a kernel is for. */
function hasSeveralDevices({ topology, kernel }: Pick<LabOptions, "topology" | "kernel">): boolean {
  return topology === "three-devices" || isMultiDevice(kernel);
}
