/**
 * Messages from a worker to another:
 *
 *     channel.ts remoteMpsc|recvMany|MessagePort COUNT
 *
 * Prints how many a second there are, from the first that is received to the last; each is a number, and has to be the
 * next. The receiver never is more than `CAPACITY` messages behind.
 */
import process from "node:process";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { run } from "../../../lib/task/mod.ts";
import { remoteMpsc } from "../../../lib/task/pool/remote.ts";
import { programArguments } from "./arguments.ts";
import { CAPACITY, type EndInit } from "./channel_end.ts";

const { way, numbers: [count] } = programArguments(1);

/** What each end is given: a handle, or a port, which is transferred. */
function ends(): [sending: EndInit["end"], receiving: EndInit["end"]] {
  if (way === "MessagePort") {
    const { port1, port2 } = new MessageChannel();
    return [port1, port2];
  }
  const [tx, rx] = remoteMpsc<number>(CAPACITY);
  return [tx.intoHandle(), rx.intoHandle()];
}

/** A thread with that end: gives what it posts. */
function start(init: EndInit, ports: readonly MessagePort[]): Promise<number> {
  const worker = new Worker(new URL("channel_end.ts", import.meta.url));
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", resolve);
    worker.postMessage(init, [...ports]);
  });
}

await run(async () => {
  const results = await Promise.all(
    ends().map((end, i) => {
      const side = i === 0 ? "sending" as const : "receiving" as const;
      return start({ way, side, count, end }, "kind" in end ? [] : [end]);
    }),
  );
  console.log(results[1]);
}, { slowPoll: false });
process.exit();
