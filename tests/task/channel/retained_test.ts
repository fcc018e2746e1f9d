import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { moduleUrl, outputOf } from "../../child.ts";

/** Messages that were taken, by channels and futures that are kept: all are to be collected. */
const SOURCE = `
  import { broadcast, mpsc, oneshot } from ${JSON.stringify(moduleUrl("lib/task/channel.ts"))};
  import { collect } from ${JSON.stringify(moduleUrl("tests/collector.ts"))};

  const refs = [];
  function message() {
    const made = {};
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

  const alive = () => refs.filter((ref) => ref.deref() !== undefined).length;
  await collect(() => alive() === 0);
  console.log(refs.length, alive(), kept.length);
`;

describe("a channel", () => {
  it("keeps no message that was taken, lagged behind or dropped", () => {
    assertEquals(outputOf(SOURCE), "15 0 10");
  });
});
