/**
 * bpf(2): sockmaps, and a program that decides what becomes of the data of sockets in them.
 * Source: linux/bpf.h, bpf(2).
 *
 * @module
 */
import { type CallContext, Descriptor } from "./descriptor.ts";
import { SysError } from "./errno.ts";
import { addressOf, call } from "./libc.ts";
import { type Bytes, bytes, int } from "./structs.ts";

const SYS_BPF = Deno.build.arch === "x86_64" ? 321 : 280;

/** Commands of bpf(2). */
const BPF_MAP_CREATE = 0;
const BPF_MAP_UPDATE_ELEM = 2;
const BPF_MAP_DELETE_ELEM = 3;
const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;

const BPF_MAP_TYPE_SOCKMAP = 15;
const BPF_PROG_TYPE_SK_SKB = 14;
const BPF_SK_SKB_VERDICT = 38;

/** Room for union bpf_attr as far as it is used here; the kernel takes any size that it knows. */
const ATTR_SIZE = 72;

/** Instructions: opcode, registers (source << 4 | destination), offset, and a number. */
type Instruction = readonly [opcode: number, registers: number, offset: number, value: number];
const MOV_IMMEDIATE = 0xb7;
const SK_PASS = 1;
/** Gives everything to the socket that it came to. */
const PASSING: readonly Instruction[] = [[MOV_IMMEDIATE, 0, 0, SK_PASS], [0x95, 0, 0, 0]];

/** A map of sockets by number, with a program; its sockets are ordinary again without it. */
export class SockMap extends Descriptor {
  #program: Descriptor | undefined;

  /**
   * BPF_MAP_CREATE, and a program that gives each socket what it receives.
   *
   * @param size how many sockets it can have.
   * @throws {SysError} EPERM without CAP_BPF and CAP_NET_ADMIN, EINVAL or ENOSYS on a kernel that
   *   was built without it.
   */
  static create(size: number, context: CallContext = {}): SockMap {
    const attr = attributes([0, BPF_MAP_TYPE_SOCKMAP], [4, 4], [8, 4], [12, size]);
    const map = new SockMap(bpf("BPF_MAP_CREATE", BPF_MAP_CREATE, attr, context), context);
    try {
      map.#attach();
    } catch (error) {
      map[Symbol.dispose]();
      throw error;
    }
    return map;
  }

  /**
   * BPF_MAP_UPDATE_ELEM: puts a socket into it.
   *
   * @throws {SysError} EOPNOTSUPP where the socket is not connected.
   */
  insert(key: number, socket: Descriptor): void {
    const [name, value] = [int(key), int(socket.fd)];
    const attr = attributes([0, this.fd]);
    const view = new DataView(attr.buffer);
    view.setBigUint64(8, addressOf(name), true);
    view.setBigUint64(16, addressOf(value), true);
    bpf(`BPF_MAP_UPDATE_ELEM, ${key}`, BPF_MAP_UPDATE_ELEM, attr, this.context, [name, value]);
  }

  /** BPF_MAP_DELETE_ELEM: takes a socket out of it. */
  remove(key: number): void {
    const name = int(key);
    const attr = attributes([0, this.fd]);
    new DataView(attr.buffer).setBigUint64(8, addressOf(name), true);
    bpf(`BPF_MAP_DELETE_ELEM, ${key}`, BPF_MAP_DELETE_ELEM, attr, this.context, [name]);
  }

  /** Closes the map and its program. */
  override [Symbol.dispose](): void {
    this.#program?.[Symbol.dispose]();
    super[Symbol.dispose]();
  }

  #attach(): void {
    const code = encode(PASSING);
    const license = new TextEncoder().encode("GPL\0");
    const load = attributes([0, BPF_PROG_TYPE_SK_SKB], [4, code.length / 8]);
    const view = new DataView(load.buffer);
    view.setBigUint64(8, addressOf(code), true);
    view.setBigUint64(16, addressOf(license), true);
    const kept = [code, license];
    const fd = bpf("BPF_PROG_LOAD", BPF_PROG_LOAD, load, this.context, kept);
    this.#program = new Program(fd, this.context);
    const attach = attributes([0, this.fd], [4, fd], [8, BPF_SK_SKB_VERDICT]);
    bpf("BPF_PROG_ATTACH", BPF_PROG_ATTACH, attach, this.context);
  }
}

/** A program of a sockmap. */
class Program extends Descriptor {
  constructor(fd: number, context: CallContext) {
    super(fd, context);
  }
}

/** Instructions as the kernel reads them: struct bpf_insn. */
export function encode(instructions: readonly Instruction[]): Bytes {
  const code = bytes(8 * instructions.length);
  const view = new DataView(code.buffer);
  for (const [i, [opcode, registers, offset, value]] of instructions.entries()) {
    view.setUint8(8 * i, opcode);
    view.setUint8(8 * i + 1, registers);
    view.setInt16(8 * i + 2, offset, true);
    view.setInt32(8 * i + 4, value, true);
  }
  return code;
}

/** A union bpf_attr with numbers of 32 bits at offsets. */
function attributes(...fields: readonly (readonly [offset: number, value: number])[]): Bytes {
  const attr = bytes(ATTR_SIZE);
  const view = new DataView(attr.buffer);
  for (const [offset, value] of fields) view.setUint32(offset, value, true);
  return attr;
}

/**
 * bpf(2).
 *
 * @param _kept memory that the attributes point to.
 */
function bpf(
  shown: string,
  command: number,
  attr: Bytes,
  context: CallContext,
  _kept: readonly Bytes[] = [],
): number {
  const name = `bpf(${shown})`;
  context.trace?.(name);
  const result = call("syscall", SYS_BPF, command, attr, attr.length);
  if (result < 0) throw new SysError(name, -result);
  return result;
}
