/**
 * Random calls on both machines, whose answers a model of AF_VSOCK judges: what no case thought of.
 *
 * @module
 */
import {
  type ConformanceCase,
  defineCase,
  explores,
  isExplored,
  kernel,
  man,
  spec,
} from "../../kit/mod.ts";

const KINDS = {
  stream: { name: "STREAM", needs: [] },
  seqpacket: { name: "SEQPACKET", needs: ["seqpacket"] },
} as const;

/** A case for a type of sockets. */
function explored(type: keyof typeof KINDS): ConformanceCase {
  const { name, needs } = KINDS[type];
  return defineCase({
    id: `explored/${type}/as-modelled`,
    title: `random calls on ${name} sockets answer what the model of AF_VSOCK allows`,
    requirement: `each call on ${name} sockets MUST answer what a rule of docs/model.md allows`,
    refs: [man("vsock", 7, "DESCRIPTION"), spec("5.10.6"), kernel("vsock_connectible_sendmsg")],
    needs,
    slow: true,
    timeFactor: 2,
    does: {
      client: `draws random calls on ${type} sockets for 3 s, makes those of its machine, and ` +
        "checks each answer by the model; on loopback it makes all of them",
      server: `makes the calls on ${type} sockets of its machine that the client draws`,
    },
    client: (context) => explores(context, type),
    server: isExplored,
  });
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [explored("stream"), explored("seqpacket")];
