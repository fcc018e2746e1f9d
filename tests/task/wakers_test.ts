import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { moduleUrl, outputOf } from "../child.ts";

/** What throws when it is woken: by the reactor's turn, a timer, a task's end, a descriptor. */
const PRELUDE = `
  import process from "node:process";
  import { AsyncFd, run, sleep, spawn, yieldNow } from "${moduleUrl("lib/task/mod.ts")}";
  import { EventFd } from "${moduleUrl("lib/io/mod.ts")}";
  const uncaught = [];
  process.on("unhandledRejection", (error) => uncaught.push(error.message));
  const throwing = { waker: { wake() { throw new Error("no"); } } };
  function* body() {
    yieldNow().poll(throwing);
    sleep(1).poll(throwing);
    spawn(function* () { yield* sleep(1); }).poll(throwing);
    using event = new EventFd();
    using watched = new AsyncFd(event.fd);
    watched.clearReadable();
    watched.readable().poll(throwing);
    event.write();
    yield* sleep(20);
    yield* yieldNow();
    return yield* spawn(function* () { return 5; });
  }
`;

describe("a waker that throws", () => {
  it("does not end run, nor keep others from their turn; its error goes uncaught", () => {
    const output = outputOf(`${PRELUDE}
      console.log(await run(body));
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 10));
      console.log(uncaught.join());
    `);
    assertEquals(output.split("\n"), ["5", "no,no,no,no"]);
  });

  it("does not stop the runtime in the host's loop", () => {
    const output = outputOf(`${PRELUDE}
      console.log(await spawn(body));
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 10));
      console.log(uncaught.join());
    `);
    assertEquals(output.split("\n"), ["5", "no,no,no,no"]);
  });
});

describe("a task's error", () => {
  it("is told by the host, where it woke who waited and was dropped unseen", () => {
    const output = outputOf(`
      import process from "node:process";
      import { pollFn, Pending, run, select, sleep, spawn } from "${moduleUrl("lib/task/mod.ts")}";
      process.on("unhandledRejection", (error) => console.log("unseen:", error.message));
      await run(function* () {
        let flag = false;
        const failing = spawn(function* () {
          yield* sleep(1);
          flag = true;
          throw new Error("lost");
        });
        const first = pollFn(() => flag ? "first" : Pending);
        console.log((yield* select({ first, failing }, { biased: true })).key);
      });
      await new Promise((resolve) => setTimeout(resolve, 10));
    `);
    assertEquals(output.split("\n"), ["first", "unseen: lost"]);
  });
});
