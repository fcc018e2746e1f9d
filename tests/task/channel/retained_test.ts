import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { moduleUrl, outputOf } from "../../child.ts";

/** Messages that were taken, by channels and futures that are kept: all are to be collected. */
const SOURCE = `
  import { broadcast, mpsc, oneshot } from ${JSON.stringify(moduleUrl("lib/task/channel.ts"))};
  import { run, sleep } from ${JSON.stringify(moduleUrl("lib/task/mod.ts"))};

  const refs = [];
  function message() {
    const made = { filler: new Array(100).fill(0) };
    refs.push(new WeakRef(made));
    return made;
  }

  const kept = [];
  function fill() {
    const [tx, rx] = mpsc(4);
    const sender = tx.clone();
    for (let i = 0; i < 3; i++) tx.trySend(message());
    for (let i = 0; i < 3; i++) rx.tryRecv();
    const send = tx.send(message());
    send.poll({ waker: { wake() {} } });
    rx.tryRecv();
    const [events, first] = broadcast(4);
    const second = events.subscribe();
    for (let i = 0; i < 9; i++) events.send(message());
    for (const receiver of [first, second]) {
      try {
        receiver.tryRecv();
      } catch {}
      for (let i = 0; i < 4; i++) receiver.tryRecv();
    }
    const third = events.subscribe();
    events.send(message());
    for (const receiver of [first, second, third]) receiver.close();
    const [answer, answered] = oneshot();
    answer.send(message());
    answered.tryRecv();
    kept.push(tx, rx, sender, send, events, first, second, third, answer, answered);
  }
  fill();

  let filler = [];
  const alive = () => refs.filter((ref) => ref.deref() !== undefined).length;
  await run(async () => {
    const end = Date.now() + 20_000;
    do {
      filler = Array.from({ length: 200_000 }, (_, i) => ({ i }));
      globalThis.Bun?.gc(true);
      await sleep(5);
    } while (alive() > 0 && Date.now() < end);
  });
  console.log(refs.length, alive(), kept.length, filler.length);
`;

describe("a channel", () => {
  it("keeps no message that was taken, lagged behind or dropped", () => {
    assertEquals(outputOf(SOURCE), "15 0 10 200000");
  });
});
