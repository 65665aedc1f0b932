/**
 * Network namespaces, network_namespaces(7), and which mode AF_VSOCK has in them (Linux 7.0).
 *
 * @module
 */
import { CLONE_NEWNET, O_RDONLY } from "./constants.ts";
import { Descriptor, openFile } from "./descriptor.ts";
import { SysError } from "./errno.ts";
import { call } from "./libc.ts";
import { setVsockSysctl, type VsockSysctl, vsockSysctl } from "./sysctl.ts";

/** Whether a namespace shares CIDs and ports with others. */
export type NamespaceMode = "global" | "local";

/** A namespace, kept by this descriptor and by the sockets in it. */
export class NetNamespace extends Descriptor {
  /** The namespace of the calling thread. */
  static current(): NetNamespace {
    return new this(openFile("/proc/thread-self/ns/net", O_RDONLY), {});
  }

  /**
   * A new one: a child of the caller's, or one whose parent made its children local.
   *
   * @throws {SysError} EPERM without CAP_SYS_ADMIN, ...
   */
  static create(mode: NamespaceMode): NetNamespace {
    using before = NetNamespace.current();
    try {
      unshare();
      if (mode === "local") {
        setVsockSysctl("child_ns_mode", "local");
        unshare();
      }
      return this.current();
    } finally {
      before.enter();
    }
  }

  /** Another child of this one. */
  createChild(): NetNamespace {
    return this.within(() => {
      unshare();
      return (this.constructor as typeof NetNamespace).current();
    });
  }

  /**
   * Calls something in it: what it opens belongs there for good.
   *
   * @param body must not wait for anything, since only this thread is there.
   */
  within<T>(body: () => T): T {
    using before = NetNamespace.current();
    this.enter();
    try {
      return body();
    } finally {
      before.enter();
    }
  }

  /** A sysctl of it; undefined on a kernel without. */
  read(name: VsockSysctl): string | undefined {
    return this.within(() => vsockSysctl(name));
  }

  /** Sets a sysctl of it, see {@linkcode setVsockSysctl}. */
  write(name: VsockSysctl, value: string): void {
    this.within(() => setVsockSysctl(name, value));
  }

  /** Makes it that of the calling thread: setns(2). */
  protected enter(): void {
    this.call("setns", "CLONE_NEWNET", CLONE_NEWNET);
  }
}

function unshare(): void {
  const result = call("unshare", CLONE_NEWNET);
  if (result < 0) throw new SysError("unshare(CLONE_NEWNET)", -result);
}
