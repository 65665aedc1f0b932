/**
 * The only door to libc: {@linkcode call} for calls that return at once, {@linkcode callBlocking}
 * for calls that may block, on a thread of their own and with an end.
 *
 * @module
 */
import { assemble, FRAME } from "./trampoline.ts";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "./constants.ts";

/** What can be passed to libc: an integer, an address, the address of a buffer, or NULL. */
export type Argument = number | bigint | ArrayBufferView<ArrayBuffer> | null;

/** What a blocking call returned. */
export interface Completion {
  /** The result, or the negated errno. */
  readonly result: number;
  /** Nanoseconds between entering and leaving libc, by CLOCK_MONOTONIC on the calling thread. */
  readonly nanoseconds: bigint;
  /** Whether the call was interrupted because its signal was aborted. */
  readonly interrupted: boolean;
}

/** The real-time signal that ends a blocked system call. */
const WAKE_SIGNAL = 44;
/** One more than the highest signal: _NSIG + 1. */
const SIGNALS = 65;
const PAGE = 4096;
const MAP_PRIVATE_ANONYMOUS = 0x22;
/** glibc's struct sigaction: handler, 128-byte mask, flags, restorer. */
const SIGACTION_SIZE = 152;
/** Offset of sa_flags in it. */
const SIGACTION_FLAGS = 136;

/** What the bootstrap needs from libc before there is code to call it safely. */
const BOOTSTRAP = {
  // void *dlsym(void *handle, const char *symbol)
  dlsym: { parameters: ["pointer", "buffer"], result: "pointer" },
  // void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  // int mprotect(void *addr, size_t len, int prot)
  mprotect: { parameters: ["pointer", "usize", "i32"], result: "i32" },
  // void *bsearch(const void *key, const void *base, size_t n, size_t size, int (*compare)())
  bsearch: { parameters: ["buffer", "buffer", "usize", "usize", "pointer"], result: "void" },
} as const satisfies Deno.ForeignLibraryInterface;

const INVOKE_BLOCKING = { parameters: ["buffer"], result: "i32", nonblocking: true } as const;

/** How often the handler was called for each signal. */
const signalCounts = new Int32Array(new ArrayBuffer(4 * SIGNALS));

type Libc = Deno.DynamicLibrary<typeof BOOTSTRAP>;

interface Native {
  readonly address: (symbol: string) => bigint;
  /** The address of the signal handler. */
  readonly handler: bigint;
  /** Makes the call in a frame. */
  readonly invoke: (frame: Uint8Array<ArrayBuffer>) => void;
  readonly invokeBlocking: Deno.UnsafeFnPointer<typeof INVOKE_BLOCKING>;
}

/** A call's frame, see {@linkcode FRAME}. */
class Frame {
  readonly bytes = new Uint8Array(new ArrayBuffer(FRAME.size));
  readonly #words = new BigInt64Array(this.bytes.buffer);
  readonly #ints = new Int32Array(this.bytes.buffer);
  /** Keeps the buffers, of which the frame only has addresses, from being collected. */
  #args: readonly Argument[] = [];

  fill(fn: bigint, args: readonly Argument[]): this {
    this.#args = args;
    this.#words[FRAME.fn / 8] = fn;
    for (let i = 0; i < 6; i++) this.#set(FRAME.args / 8 + i, args[i] ?? 0);
    return this;
  }

  #set(word: number, argument: Argument): void {
    // Most are ints, for which no bigint need be made.
    if (typeof argument !== "number" || (argument | 0) !== argument) {
      this.#words[word] = asWord(argument);
      return;
    }
    this.#ints[2 * word] = argument;
    this.#ints[2 * word + 1] = argument >> 31;
  }

  /** The thread that is in the call now, or 0. */
  get tid(): number {
    return Atomics.load(this.#ints, FRAME.tid / 4);
  }

  /** The result, or the negated errno; of an int function. */
  get result(): number {
    return this.#ints[FRAME.result / 4] ?? 0;
  }

  /** The result of a function that has 64 bits to return. */
  get wideResult(): bigint {
    return this.#words[FRAME.result / 8] ?? 0n;
  }

  get nanoseconds(): bigint {
    const time = (at: number) =>
      (this.#words[at / 8] ?? 0n) * 1_000_000_000n + (this.#words[at / 8 + 1] ?? 0n);
    return time(FRAME.leave) - time(FRAME.enter);
  }
}

/** A call on a thread of its own. */
export interface ThreadCall {
  /** The thread that is in it now, or 0: it has not begun yet, or has ended. */
  readonly tid: number;
}

/** What is searched in order to call the code; nobody reads it. */
const ELEMENT = new Uint8Array(new ArrayBuffer(8));

let native: Native | undefined;
const syncFrame = new Frame();
let newestFrame: Frame | undefined;

/**
 * Calls a libc function that returns at once.
 *
 * @returns its result as an int, or the negated errno where the function returned -1.
 * @throws {Deno.errors.NotCapable} without the permission to use FFI.
 */
export function call(symbol: string, ...args: Argument[]): number {
  const { address, invoke } = open();
  invoke(syncFrame.fill(address(symbol), args).bytes);
  return syncFrame.result;
}

/** As {@linkcode call}, for a function that returns an address or another 64-bit value. */
export function callWide(symbol: string, ...args: Argument[]): bigint {
  call(symbol, ...args);
  return syncFrame.wideResult;
}

/**
 * Calls a libc function that may block, on a thread of its own.
 *
 * When `signal` is aborted the system call is interrupted, as alarm(2) would do it, until it
 * returns; a call that completes in spite of that counts as completed.
 */
export async function callBlocking(
  symbol: string,
  args: readonly Argument[],
  signal?: AbortSignal,
): Promise<Completion> {
  const { address, invokeBlocking } = open();
  const frame = new Frame().fill(address(symbol), args);
  newestFrame = frame;
  let timer: ReturnType<typeof setInterval> | undefined;
  const wake = () => {
    // Before the call there is nobody to wake, so the next tick tries again.
    if (frame.tid !== 0) call("tgkill", Deno.pid, frame.tid, WAKE_SIGNAL);
  };
  const startWaking = () => timer = setInterval(wake, 10);
  if (signal?.aborted) startWaking();
  else signal?.addEventListener("abort", startWaking, { once: true });
  try {
    const result = await invokeBlocking.call(frame.bytes);
    const interrupted = result === -4 && (signal?.aborted ?? false);
    return { result, nanoseconds: frame.nanoseconds, interrupted };
  } finally {
    signal?.removeEventListener("abort", startWaking);
    clearInterval(timer);
  }
}

/** The call that {@linkcode callBlocking} has begun last, of all in this process. */
export function newestCall(): ThreadCall | undefined {
  return newestFrame;
}

/** What sigaction(2) stores and takes: struct sigaction. */
export type SignalAction = Uint8Array<ArrayBuffer>;

/**
 * Has a signal counted from now on, whichever thread of this process it is delivered to.
 *
 * @param flags sa_flags, such as SA_RESTART.
 * @returns the action that it had, for {@linkcode restoreSignal}.
 */
export function countSignal(signal: number, flags: number): SignalAction {
  const { handler } = open();
  return setAction(signal, handler, flags);
}

/** Gives a signal the action back that it had. */
export function restoreSignal(signal: number, action: SignalAction): void {
  call("sigaction", signal, action, null);
}

/** How often a signal was counted since the process began. */
export function signalCount(signal: number): number {
  return Atomics.load(signalCounts, signal);
}

function setAction(signal: number, handler: bigint, flags: number): SignalAction {
  const action = new Uint8Array(new ArrayBuffer(SIGACTION_SIZE));
  const before = new Uint8Array(new ArrayBuffer(SIGACTION_SIZE));
  const view = new DataView(action.buffer);
  view.setBigUint64(0, handler, true);
  view.setInt32(SIGACTION_FLAGS, flags, true);
  call("sigaction", signal, action, before);
  return before;
}

/**
 * Sleeps on a thread of its own, through poll(2).
 *
 * @returns how many milliseconds it took, measured on that thread.
 */
export async function timedSleep(milliseconds: number): Promise<number> {
  return Number((await callBlocking("poll", [null, 0, milliseconds])).nanoseconds) / 1e6;
}

/** The address of a buffer, which must be kept alive by its user. */
export function addressOf(view: ArrayBufferView<ArrayBuffer>): bigint {
  // Reading .buffer moves a small array off the engine's heap, where it would be moved about.
  if (view.buffer.byteLength === 0) return 0n;
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(view)));
}

function asWord(argument: Argument): bigint {
  if (typeof argument === "bigint") return argument;
  if (typeof argument === "number") return BigInt(argument);
  return argument === null ? 0n : addressOf(argument);
}

/** Opens libc and writes the code page, once. */
function open(): Native {
  return native ??= openNative();
}

function openNative(): Native {
  if (Deno.build.os !== "linux") {
    throw new TypeError(`Cannot call libc on ${Deno.build.os}: AF_VSOCK sockets are Linux's`);
  }
  const libc = openLibc(BOOTSTRAP);
  const address = addressLookup(libc);
  const code = assemble(Deno.build.arch, {
    errnoLocation: address("__errno_location"),
    clockGettime: address("clock_gettime"),
    signalCounts: addressOf(signalCounts),
  });
  const page = executablePage(libc, code.bytes);
  const entry = Deno.UnsafePointer.offset<typeof INVOKE_BLOCKING>(page, code.invoke);
  if (entry === null) throw new Error("Cannot call libc: the page of calls is at address 0");
  const opened: Native = {
    address,
    handler: BigInt(Deno.UnsafePointer.value(page)) + BigInt(code.handler),
    // The engine calls quickly, at a tenth of the price, only what a library exports. bsearch(3)
    // of one element does no more than to call the code, with the frame that it is to look for.
    invoke: (frame) => libc.symbols.bsearch(frame, ELEMENT, 1n, 1n, entry),
    invokeBlocking: new Deno.UnsafeFnPointer(entry, INVOKE_BLOCKING),
  };
  native = opened;
  setAction(WAKE_SIGNAL, opened.handler, 0);
  return opened;
}

/** Gives the addresses of libc's functions, each looked up once. */
function addressLookup({ symbols }: Libc): (symbol: string) => bigint {
  const encoder = new TextEncoder();
  const known = new Map<string, bigint>();
  return (symbol) => {
    const cached = known.get(symbol);
    if (cached !== undefined) return cached;
    const pointer = symbols.dlsym(null, encoder.encode(`${symbol}\0`));
    if (pointer === null) {
      throw new TypeError(`Cannot find ${symbol} in libc: glibc 2.31 or newer is needed`);
    }
    const value = BigInt(Deno.UnsafePointer.value(pointer));
    known.set(symbol, value);
    return value;
  };
}

/** A page of memory that holds machine code and can be executed. */
function executablePage({ symbols }: Libc, code: Uint8Array): Deno.PointerObject {
  const access = PROT_READ | PROT_WRITE;
  const page = symbols.mmap(null, BigInt(PAGE), access, MAP_PRIVATE_ANONYMOUS, -1, 0n);
  if (page === null || Deno.UnsafePointer.value(page) === 0xffffffffffffffffn) {
    throw new Error("Cannot map a page for the libc calls: is the process out of memory?");
  }
  new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(page, PAGE)).set(code);
  if (symbols.mprotect(page, BigInt(PAGE), PROT_READ | PROT_EXEC) === 0) return page;
  throw new Error(
    "Cannot make a page of libc calls executable: a security policy (such as SELinux execmem " +
      "or MemoryDenyWriteExecute) forbids it; run where it does not",
  );
}

/**
 * Opens libc for some of its functions.
 *
 * @throws {Deno.errors.NotCapable} without the permission to use FFI.
 */
export function openLibc<const S extends Deno.ForeignLibraryInterface>(
  symbols: S,
): Deno.DynamicLibrary<S> {
  try {
    return Deno.dlopen("libc.so.6", symbols);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot open libc.so.6: ${reason}; a system with glibc is needed`, {
      cause: error,
    });
  }
}
