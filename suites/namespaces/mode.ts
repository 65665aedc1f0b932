/**
 * The modes of network namespaces: which can be set, and when.
 *
 * @module
 */
import { type CaseContext, type ConformanceCase, defineCase, kernel } from "../../kit/mod.ts";

const refs = [kernel("vsock_net_child_mode_string"), kernel("vsock_sysctl_init_net")];
const needs = [{ client: "namespaces" }] as const;

/** Check both modes of a namespace. */
function modesAre(
  check: CaseContext["check"],
  namespace: ReturnType<CaseContext["vsock"]["namespace"]>,
  mode: string,
  child: string,
  what: string,
): void {
  check.equal(namespace.read("ns_mode"), mode, `ns_mode of ${what}`);
  check.equal(namespace.read("child_ns_mode"), child, `child_ns_mode of ${what}`);
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** ns_mode. */
  defineCase({
    id: "namespaces/mode/is-read-only",
    title: "the mode of a namespace cannot be changed",
    requirement: "writing to net.vsock.ns_mode MUST fail with EACCES or EPERM and change nothing",
    refs: [kernel("vsock_net_mode_string")],
    needs,
    does: {
      client:
        "creates a global namespace, and checks that writing local or global to its ns_mode " +
        "fails with EACCES or EPERM, and that ns_mode and child_ns_mode are still global",
    },
    async client({ vsock, check }) {
      using namespace = vsock.namespace("global");
      for (const value of ["local", "global"]) {
        const write = () => namespace.write("ns_mode", value);
        await check.fails(["EACCES", "EPERM"], `writing ${value} to ns_mode`, write);
      }
      modesAre(check, namespace, "global", "global", "a new namespace");
    },
  }),
  /** child_ns_mode. */
  defineCase({
    id: "namespaces/mode/child-mode-is-written-once",
    title: "the mode of child namespaces can be set only once",
    requirement:
      "net.vsock.child_ns_mode MUST accept a mode once and the same mode again, and fail with " +
      "EINVAL for an invalid mode and with EBUSY for the other mode",
    refs,
    needs,
    does: {
      client:
        "creates a global namespace, and checks that its child_ns_mode refuses an invalid mode " +
        "with EINVAL, accepts local, and local again, refuses global with EBUSY, and is local",
    },
    async client({ vsock, check }) {
      using namespace = vsock.namespace("global");
      const write = (value: string) => () => namespace.write("child_ns_mode", value);
      for (const value of ["bogus", "locally", "loca"]) {
        await check.fails("EINVAL", `writing ${value}`, write(value));
      }
      await check.succeeds("writing local", write("local"));
      await check.succeeds("writing local again", write("local"));
      await check.fails("EBUSY", "writing global behind local", write("global"));
      modesAre(check, namespace, "global", "local", "a namespace with local children");
    },
  }),
  /** What a child inherits. */
  defineCase({
    id: "namespaces/mode/child-inherits",
    title: "a new namespace has the mode that its parent set for its children",
    requirement: "ns_mode and child_ns_mode of a new namespace MUST be its parent's child_ns_mode",
    refs,
    needs,
    does: {
      client:
        "creates a child of a global namespace before and one after child_ns_mode there becomes " +
        "local, and a child of the latter, and checks that the first has both modes global and " +
        "the others local",
    },
    async client({ vsock, check }) {
      using parent = vsock.namespace("global");
      using first = parent.createChild();
      modesAre(check, first, "global", "global", "a child of a global namespace");
      await check.succeeds("writing local", () => parent.write("child_ns_mode", "local"));
      using second = parent.createChild();
      modesAre(check, second, "local", "local", "a child made after that");
      using third = second.createChild();
      modesAre(check, third, "local", "local", "its child");
      modesAre(check, first, "global", "global", "the child made before that");
    },
  }),
  /** No way back. */
  defineCase({
    id: "namespaces/mode/local-makes-no-global",
    title: "a local namespace can only have local children",
    requirement: "writing global to child_ns_mode of a local namespace MUST fail with EPERM",
    refs,
    needs,
    does: {
      client:
        "creates a local namespace, and checks that writing global to its child_ns_mode fails " +
        "with EPERM, that writing local succeeds, and that both its modes are local",
    },
    async client({ vsock, check }) {
      using namespace = vsock.namespace("local");
      const write = (value: string) => () => namespace.write("child_ns_mode", value);
      await check.fails("EPERM", "writing global in a local namespace", write("global"));
      await check.succeeds("writing local in a local namespace", write("local"));
      modesAre(check, namespace, "local", "local", "a local namespace");
    },
  }),
];
