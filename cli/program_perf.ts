/**
 * The options of `perf` and its commands, named as in vsock_perf if it has them.
 *
 * @module
 */
import { optionOf } from "./options/value.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { MAX_CONNECTIONS, MAX_REQUEST } from "../perf/greeting.ts";
import { isOfVms, withKernelOptions } from "./options/vm.ts";
import {
  addHelp,
  cidOption,
  examples,
  refuseIdle,
  secondsOption,
  sizeOption,
  STAND_IN,
  wholeNumber,
} from "./options/parse.ts";

type Act = (code: number | Promise<number>) => void;

/** The maximum size for one call of recv(2) or send(2). */
const MAX_CALL = 2 ** 31 - 1;
/** Larger integers are not exact in JavaScript. */
const MAX_BYTES = 2 ** 53;
const KIB = 1024;

/** Adds `perf`. */
export function addPerf(root: Command, act: Act): void {
  const perf = root.command("perf")
    .description("measure throughput, round trips and connections")
    .addHelpText(
      "after",
      examples(
        "perf receiver                       # in the guest ...",
        "perf sender --sender 3 --bytes 1G   # ... and on the host",
        "perf echo                           # in the guest ...",
        "perf latency --peer-cid 3 --size 64 # ... and on the host",
      ),
    );
  addThroughput(perf, act);
  addRoundTrips(perf, act);
  addCompare(perf, act);
  addHelp(perf, "perf help latency");
}

function addCompare(perf: Command, act: Act): void {
  const compare = perf.command("compare")
    .description("measure vsock-conformance and C programs in turn: medians, ratio, spread")
    .addOption(
      new Option("--topology <which>", "this machine over AF_UNIX, or VMs that the lab boots")
        .choices(["unix", "loopback", "guest-host"]).default("unix"),
    )
    .option("--rounds <number>", "how many times each is measured", wholeNumber(1, 1000), 7)
    .option("--bytes <size>", "bytes per measurement", sizeOption(1, MAX_BYTES))
    .option("--requests <number>", "round trips per measurement", wholeNumber(1, 1e9))
    .option("--json", "all figures, as JSON")
    .addOption(
      optionOf("file", "--chart <file>", "draw the ratios as .svg, or a page as .html")
        .argParser(chartOption),
    );
  withKernelOptions(compare)
    .addHelpText(
      "after",
      examples(
        "perf compare --chart compare.html",
        "perf compare --topology loopback    # against vsock_perf",
      ),
    );
  compare.action(async (options) => {
    if (options.topology === "unix") {
      refuseIdle(compare, isOfVms, "is for VMs: add --topology loopback or guest-host");
    }
    act((await import("./perf_compare.ts")).perfCompare(options));
  });
}

/** Parses the name of a chart, whose extension decides the format. */
function chartOption(text: string): string {
  if (/[^/]\.(svg|html)$/.test(text)) return text;
  throw new InvalidArgumentError("Name a file that ends in .svg or .html.");
}

function addThroughput(perf: Command, act: Act): void {
  throughput(perf.command("sender"), CONNECTING)
    .description("connect to a receiver and send, as vsock_perf --sender")
    .requiredOption("--sender <cid>", "CID of the receiver's machine", cidOption)
    .option("--zerocopy", "send with MSG_ZEROCOPY and wait for each completion")
    .addHelpText("after", examples("perf sender --sender 3 --bytes 1G --buf-size 64K"))
    .action(async (options) => act((await import("./perf.ts")).perfSender(options)));
  throughput(perf.command("receiver"), WAITING)
    .description("wait for one sender, without a time limit, and receive, as vsock_perf")
    .addHelpText("after", examples("perf receiver --port 1234 --buf-size 64K --rcvlowat 4K"))
    .action(async (options) => act((await import("./perf.ts")).perfReceiver(options)));
}

function throughput(command: Command, timeout: string): Command {
  return shared(command, timeout)
    .addOption(size("--bytes <size>", "how much to send", 64 * KIB, 1, MAX_BYTES))
    .addOption(size("--buf-size <size>", "bytes per call", 128 * KIB, 1, MAX_CALL))
    .addOption(
      size("--vsk-size <size>", "the receiver's socket buffer", 256 * KIB, 1, MAX_CALL),
    )
    .addOption(size("--rcvlowat <size>", "SO_RCVLOWAT", 1, 0, MAX_CALL))
    .addOption(
      new Option("--direction <which>", "who sends; with both, both ends must be this tool")
        .choices(["one", "both"]).default("one"),
    );
}

function addRoundTrips(perf: Command, act: Act): void {
  shared(perf.command("echo"), WAITING)
    .description('serve "perf latency" and "perf connect", one client at a time')
    .option("--once", "exit after one client")
    .addHelpText("after", examples("perf echo --port 1234"))
    .action(async (options) => act((await import("./perf.ts")).perfEcho(options)));
  counted(perf.command("latency"), 100_000, 10_000)
    .description('measure round trips to "perf echo"')
    .addOption(size("--size <size>", "bytes of a request, and of its answer", 64, 1, MAX_REQUEST))
    .option(
      "--connections <number>",
      "connections, each with one request at a time",
      wholeNumber(1, MAX_CONNECTIONS),
      1,
    )
    .option(
      "--rate <number>",
      "requests per second, due whether or not answers come; times count from when due",
      wholeNumber(1, 10_000_000),
    )
    .addHelpText(
      "after",
      examples(
        "perf latency --peer-cid 3 --size 4K",
        "perf latency --peer-cid 3 --rate 2000 --connections 4 --json",
      ),
    )
    .action(async (options) => act((await import("./perf.ts")).perfLatency(options)));
  counted(perf.command("connect"), 10_000, 1000)
    .description('measure how fast connections to "perf echo" are made')
    .addHelpText("after", examples("perf connect --peer-cid 3"))
    .action(async (options) => act((await import("./perf.ts")).perfConnect(options)));
}

function counted(command: Command, requests: number, warmup: number): Command {
  const count = wholeNumber(1, 1_000_000_000);
  return shared(command, CONNECTING)
    .requiredOption("--peer-cid <cid>", "CID of the other machine", cidOption)
    .option("--requests <number>", "how many to measure", count, requests)
    .option("--warmup <number>", "how many to make before that", wholeNumber(0, 1e9), warmup);
}

/**
 * The descriptions of `--timeout`. Like vsock_perf, a server waits for its peer without a limit.
 */
const WAITING = "how long a connected peer may be idle";
const CONNECTING = "how long the peer may be idle, from connect() on";

function shared(command: Command, timeout: string): Command {
  return command
    .option("--port <port>", "AF_VSOCK port", wholeNumber(0, 0xfffffffe), 1234)
    .addOption(
      new Option("--type <type>", "socket type").choices(["stream", "seqpacket"])
        .default("stream"),
    )
    .addOption(secondsOption("--timeout <seconds>", timeout, 60_000))
    .option("--json", "figures as JSON")
    .addOption(new Option("--stand-in <name>", STAND_IN).hideHelp());
}

function size(flags: string, what: string, fallback: number, min: number, max: number): Option {
  const shown = fallback % KIB === 0 ? `${fallback / KIB}K` : `${fallback}`;
  return new Option(flags, what).argParser(sizeOption(min, max)).default(fallback, shown);
}
