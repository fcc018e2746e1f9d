import { describe, it } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import { outputOf, runChild } from "../child.ts";
import { TOOLS } from "./watched.ts";

describe("an armed watch", () => {
  const cases = {
    "keeps the process alive until it calls": ["watch.arm(); later(() => write(fd));", "ready true"],
    "keeps it alive where it was ref'd again": [
      "watch.unref(); watch.arm(); watch.ref(); watch.unref(); watch.ref(); later(() => write(fd));",
      "ready true",
    ],
    "keeps it alive until it is disarmed": ["watch.arm(); later(() => watch.disarm());", "true"],
    "keeps it alive until it is disposed": ["watch.arm(); later(() => watch[Symbol.dispose]());", "true"],
    "keeps it alive until it is unref'd": ["watch.arm(); later(() => watch.unref());", "true"],
    "lets it end where it is unref'd": ["watch.unref(); watch.arm(); later(() => write(fd));", "false"],
    "lets it end where it is not armed": ["later(() => write(fd));", "false"],
  };
  for (const [what, [source, expected]] of Object.entries(cases)) {
    it(what, () => {
      const output = outputOf(`${TOOLS}
        const fd = eventfd();
        let isLate = false;
        const told = [];
        // Where the process ends before it, it is so long that it does so on the slowest machine.
        const later = (act) => setTimeout(() => { isLate = true; act(); }, ${
        expected === "false" ? 60_000 : 200
      }).unref();
        const watch = new Watch(fd, () => { read(fd); told.push("ready"); });
        process.on("exit", () => console.log([...told, isLate].join(" ")));
        ${source}`);
      assertEquals(output, expected);
    });
  }

  it("calls though it is unref'd, while something else keeps the process alive", () => {
    const output = outputOf(`${TOOLS}
      const fd = eventfd();
      const alive = setTimeout(() => {}, 30_000);
      const watch = new Watch(fd, () => { console.log("ready"); clearTimeout(alive); });
      watch.unref();
      watch.arm();
      setTimeout(() => write(fd), 20);`);
    assertEquals(output, "ready");
  });

  for (
    const [what, ending, code] of [
      ["by process.exit", "process.exit(3);", 3],
      ["by process.exit while it is ready", "write(fd); process.exit(4);", 4],
      ["by process.exit in its call", "inCall = () => process.exit(5); write(fd);", 5],
      ["by an exit code", "process.exitCode = 6; watch.unref();", 6],
      ["by an uncaught error", 'setTimeout(() => { throw new Error("uncaught"); }, 20);', 1],
      ["by SIGTERM", 'process.kill(process.pid, "SIGTERM");', "SIGTERM"],
      ["by SIGKILL", 'process.kill(process.pid, "SIGKILL");', "SIGKILL"],
    ] as const
  ) {
    it(`lets the process end ${what}`, () => {
      const result = runChild(`${TOOLS}
        const fd = eventfd();
        let inCall = () => {};
        const watch = new Watch(fd, () => inCall());
        watch.arm();
        ${ending}`);
      assertEquals(result.code, code);
    });
  }

  it("leaves signals to the host, and goes on after one", () => {
    const output = outputOf(`${TOOLS}
      const fd = eventfd();
      const order = [];
      const watch = new Watch(fd, () => { order.push("ready"); process.off("SIGUSR2", onSignal); });
      const onSignal = () => order.push("signal");
      process.on("SIGUSR2", onSignal);
      watch.arm();
      const come = async (count) => { while (order.length < count) await sleep(1); };
      await sleep(20);
      for (let i = 1; i <= 3; i++) { process.kill(process.pid, "SIGUSR2"); await come(i); }
      write(fd);
      await come(4);
      console.log(order.join(" "));`);
    assertEquals(output, "signal signal signal ready");
  });
});

describe("what onReady throws", () => {
  it("is an uncaught error, which ends the process", () => {
    const { code, stdout, stderr } = runChild(`${TOOLS}
      const fd = eventfd();
      const watch = new Watch(fd, () => { throw new Error("of the callback"); });
      watch.arm();
      write(fd);
      setTimeout(() => console.log("went on"), 30_000);`);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /of the callback/);
  });

  it("comes to who listens for uncaught errors, and the watch works on", () => {
    const output = outputOf(`${TOOLS}
      const fd = eventfd();
      let calls = 0;
      const watch = new Watch(fd, () => {
        read(fd);
        if (++calls < 4) throw new Error("call " + calls);
        console.log("done");
      });
      process.on("uncaughtException", (error) => {
        console.log(error.message);
        watch.arm();
        write(fd);
      });
      watch.arm();
      write(fd);`);
    assertEquals(output.split("\n"), ["call 1", "call 2", "call 3", "done"]);
  });
});
