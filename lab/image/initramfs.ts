/**
 * Makes the initramfs of a VM.
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

/**
 * A VM's initramfs: busybox, the modules, the tool, and in a host the guest's kernel and initramfs.
 */
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
 * Whether a VM loads a module. A guest must not have a host's transport, unless the topology makes
 * it a host as well, and a host must not have a guest's.
 */
function wanted(role: VmRole, topology: Topology, module: string): boolean {
  const both = role === "guest" && topology === "three-cids";
  const hostOnly = (both ? /^(kvm|irqbypass|ccp)/ : /^(kvm|vhost|irqbypass|ccp)/).test(module);
  const guestOnly = module === "vmw_vsock_virtio_transport";
  // On loopback both are loaded, though the guest's finds no device: a socket can change
  // transports.
  if (role === "loopback") return !/^(kvm|irqbypass|ccp)/.test(module);
  return role === "host" ? !guestOnly : !hostOnly;
}

/** Whether the guest gets more than one vsock device. */
function hasSeveralDevices({ topology, kernel }: Pick<LabOptions, "topology" | "kernel">): boolean {
  return topology === "three-devices" || isMultiDevice(kernel);
}
