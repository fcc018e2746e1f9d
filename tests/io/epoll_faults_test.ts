import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { hostName, libc, SystemError } from "../../ffi/mod.ts";
import { Epoll, EPOLLET, EPOLLIN, EPOLLONESHOT, EPOLLOUT, EventFd, Fd, pipe } from "../../lib/io/mod.ts";
import { listenFirst, moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";
import { tiered } from "../tier.ts";
import { descriptors, openedSince } from "../descriptors.ts";

const MODULE = moduleUrl("lib/io/mod.ts");

function codeOf(call: () => unknown, message: string): string {
  return assertThrows(call, SystemError, message).code;
}

describe("a descriptor that is closed under its registration", () => {
  it("is told of no more, even of an event that had come", () => {
    const event = new EventFd({ initial: 1 });
    using epoll = new Epoll();
    epoll.add(event.fd, EPOLLIN, 1);
    assertEquals(epoll.wait(0), 1);
    event.close();
    assertEquals([epoll.wait(0), epoll.wait(0)], [0, 0]);
  });

  it("is told of still while a duplicate is open, and is deleted by nobody", () => {
    const event = new EventFd({ initial: 1 });
    using copy = event.fd.dup();
    using epoll = new Epoll();
    epoll.add(event.fd, EPOLLIN, 1);
    event.close();
    assertEquals([epoll.wait(0), epoll.token(0)], [1, 1]);
    assertThrows(() => epoll.delete(event.fd), Error, "a file descriptor that was closed");
    assertEquals(codeOf(() => epoll.delete(copy), `descriptor ${copy.number} is not watched here`), "ENOENT");
    assertEquals(epoll.wait(0), 1);
    copy.close();
    assertEquals(epoll.wait(0), 0);
  });

  it("is watched beside its duplicate, each for itself", () => {
    using event = new EventFd();
    using copy = event.fd.dup();
    using epoll = new Epoll();
    epoll.add(event.fd, EPOLLIN, 1);
    epoll.add(copy, EPOLLOUT, 2);
    assertEquals([epoll.wait(0), epoll.token(0), epoll.events(0)], [1, 2, EPOLLOUT]);
    event.write();
    assertEquals(epoll.wait(0), 2);
    epoll.delete(event.fd);
    assertEquals([epoll.wait(0), epoll.token(0), epoll.events(0)], [1, 2, EPOLLOUT]);
  });

  it("is EBADF where somebody else has closed it", () => {
    const event = new EventFd();
    using epoll = new Epoll();
    const { number } = event.fd;
    libc().close(number);
    const message = `descriptor ${number} was closed, and not by its Fd`;
    for (const call of [() => epoll.add(event.fd, EPOLLIN, 0), () => epoll.delete(event.fd)]) {
      assertEquals(codeOf(call, message), "EBADF");
    }
  });

  it("leaves the instance as it was where that is closed first", () => {
    using event = new EventFd({ initial: 1 });
    const epoll = new Epoll();
    epoll.add(event.fd, EPOLLIN, 1);
    epoll.close();
    using other = new Epoll();
    other.add(event.fd, EPOLLIN, 2);
    assertEquals([other.wait(0), other.token(0), event.read()], [1, 2, 1]);
  });
});

describe("what cannot be watched", () => {
  it("is a file or a folder, which is always ready", () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-epoll-"));
    writeFileSync(join(folder, "file"), "contents");
    using epoll = new Epoll();
    for (const path of [folder, join(folder, "file")]) {
      using fd = Fd.open(path);
      const message = "is a regular file or a folder, which is always ready: read it without asking";
      assertEquals(codeOf(() => epoll.add(fd, EPOLLIN, 0), message), "EPERM");
    }
    rmSync(folder, { recursive: true });
  });

  it("is what is watched already, or is to be changed and is not watched", () => {
    using event = new EventFd();
    using epoll = new Epoll();
    assertEquals(codeOf(() => epoll.modify(event.fd, EPOLLIN, 0), "is not watched here: call add"), "ENOENT");
    epoll.add(event.fd, EPOLLIN, 0);
    assertEquals(
      codeOf(() => epoll.add(event.fd, EPOLLIN, 0), "watched here already: call modify"),
      "EEXIST",
    );
    epoll.delete(event.fd);
    assertEquals(codeOf(() => epoll.delete(event.fd), "is not watched here: call add"), "ENOENT");
    epoll.add(event.fd, EPOLLIN, 0);
  });

  it("leaves what was watched as it was", () => {
    using event = new EventFd({ initial: 1 });
    using epoll = new Epoll();
    epoll.add(event.fd, EPOLLIN, 7);
    assertThrows(() => epoll.add(event.fd, EPOLLOUT, 8), SystemError);
    assertThrows(() => epoll.modify(event.fd, 0x20, 9), RangeError);
    assertThrows(() => epoll.modify(event.fd, EPOLLIN, -9), RangeError);
    assertEquals([epoll.wait(0), epoll.token(0), epoll.events(0)], [1, 7, EPOLLIN]);
  });
});

describe("the events of a wait", () => {
  it("are no more than it told of", () => {
    using event = new EventFd({ initial: 1 });
    using epoll = new Epoll();
    epoll.add(event.fd, EPOLLIN, 7);
    for (const told of [0, 1, 0]) {
      if (told === 1) assertEquals(epoll.wait(0), 1);
      else assertEquals((epoll.modify(event.fd, 0, 7), epoll.wait(0)), 0);
      for (const i of [told, -1, 0.5, NaN, 2 ** 32]) {
        const message = `cannot tell of event ${i}: the last wait told of ${told}`;
        assertThrows(() => epoll.events(i), RangeError, message);
        assertThrows(() => epoll.token(i), RangeError, message);
      }
      epoll.modify(event.fd, EPOLLIN, 7);
    }
  });

  it("are none after a wait that was refused", () => {
    using event = new EventFd({ initial: 1 });
    using epoll = new Epoll();
    epoll.add(event.fd, EPOLLIN, 7);
    assertEquals(epoll.wait(0), 1);
    assertThrows(() => epoll.wait(-1), RangeError);
    assertThrows(() => epoll.token(0), RangeError, "the last wait told of 0");
  });

  it("stay as they are while what is watched changes", () => {
    const events = [1, 2, 3].map(() => new EventFd({ initial: 1 }));
    using epoll = new Epoll();
    for (const [token, { fd }] of events.entries()) epoll.add(fd, EPOLLIN | EPOLLONESHOT, token);
    const count = epoll.wait(0);
    const before = Array.from({ length: count }, (_, i) => epoll.token(i));
    for (const event of events) {
      epoll.modify(event.fd, EPOLLOUT, 99);
      epoll.delete(event.fd);
      event.close();
    }
    assertEquals(Array.from({ length: count }, (_, i) => epoll.token(i)), before);
  });
});

describe("a signal that comes while the thread waits", () => {
  // In a process of its own, whose main thread gets the signal: the tests' may be another.
  const HEAD = `
    import { dlopen, libc } from "${moduleUrl("ffi/mod.ts")}";
    import { Epoll, UnixSocket } from "${MODULE}";
    import { SignalWatch } from "${moduleUrl("lib/jit/mod.ts")}";
    const { symbols } = dlopen(["libc.so.6"], {
      setitimer: { parameters: ["i32", "buffer!", "buffer"], result: "i32" },
    });
    const watch = new SignalWatch("SIGALRM");
    // SIGALRM, every 20 ms: one that comes before the wait would interrupt nothing.
    function alarms(ms) {
      symbols.setitimer(0, BigInt64Array.of(0n, BigInt(ms * 1000), 0n, BigInt(ms * 1000)), null);
    }`;

  it("ends a wait of epoll with 0, in whole milliseconds or not", () => {
    const output = outputOf(`${HEAD}
      const epoll = new Epoll();
      for (const ms of [20_000, 20_000.5, Infinity]) {
        alarms(20);
        console.log(epoll.wait(ms), watch.take() > 0);
        alarms(0);
      }`);
    assertEquals(output, "0 true\n0 true\n0 true");
  });

  it("does not end a read of what blocks", () => {
    // With SO_RCVTIMEO recv(2) is interrupted whatever the handler says, and read anew each time.
    const output = outputOf(`${HEAD}
      const [here, there] = UnixSocket.pair();
      here.fd.setBlocking(true);
      libc().setsockopt(here.fd.number, 1, 20, BigInt64Array.of(0n, 200_000n), 16);
      symbols.setitimer(0, BigInt64Array.of(0n, 0n, 0n, 20_000n), null);
      console.log(here.fd.read(new Uint8Array(1)), watch.take());`);
    assertEquals(output, "-1 1");
  });
});

describe("a wait", () => {
  const WAITS = 50_000;

  it(
    "allocates nothing",
    { skip: skipping(hostName === "node" && "Node's own calls into C allocate") },
    () => {
      const output = outputOf(`
      import { Epoll, EPOLLIN, EventFd } from "${MODULE}";
      import process from "node:process";
      const event = new EventFd({ initial: 1 });
      const epoll = new Epoll({ maxEvents: 10 });
      epoll.add(event.fd, EPOLLIN, 7);
      function work(waits, timeout) {
        let sum = 0;
        for (let i = 0; i < waits; i++) {
          const count = epoll.wait(timeout);
          for (let j = 0; j < count; j++) sum += epoll.token(j) + epoll.events(j);
        }
        return sum;
      }
      let most = -Infinity;
      for (const timeout of [0, 0.5]) {
        work(20_000, timeout);
        for (let round = 0; round < 6; round++) {
          const before = process.memoryUsage().heapUsed;
          work(${WAITS}, timeout);
          if (round > 0) most = Math.max(most, process.memoryUsage().heapUsed - before);
        }
      }
      console.log(most);`);
      // The smallest object is of 12 bytes; a few rounds make something else.
      assert(Number(output) < 4 * WAITS, `${output} bytes in ${WAITS} waits`);
    },
  );

  it("takes a fraction of a millisecond for what it is, where the kernel can, and is never early", () => {
    // The calls are counted, and then the kernel is made to look older than it is.
    const output = outputOf(`
      import { Epoll } from "${MODULE}";
      import { libc } from "${moduleUrl("ffi/mod.ts")}";
      const { epoll_pwait2 } = libc();
      let calls = 0;
      const counted = (...given) => { calls++; return epoll_pwait2(...given); };
      const epoll = new Epoll();
      for (const value of [counted, undefined]) {
        Object.defineProperty(libc(), "epoll_pwait2", { value, configurable: true });
        for (const ms of [0.1, 1.75, 2, 0]) {
          const start = performance.now();
          const count = epoll.wait(ms);
          const least = value === undefined ? Math.ceil(ms) : ms;
          console.log(count, calls, performance.now() - start >= least - 0.005);
        }
      }`);
    assertEquals(output.split("\n"), [
      "0 1 true",
      "0 2 true",
      "0 2 true",
      "0 2 true",
      ...Array.from({ length: 4 }, () => "0 2 true"),
    ]);
  });
});

describe("descriptors", () => {
  it("are all given back, by ten thousand instances and counters", () => {
    const before = descriptors();
    for (let i = 0; i < tiered({ quick: 10_000, full: 100_000, soak: 10_000_000 }); i++) {
      using event = new EventFd({ initial: 1 });
      using epoll = new Epoll({ maxEvents: 1 });
      epoll.add(event.fd, EPOLLIN | EPOLLET, i);
      if (epoll.wait(0) !== 1) throw new Error("nothing came");
    }
    assertEquals(openedSince(before), []);
  });

  it("end with EMFILE, by name, and are there again when some were closed", () => {
    const output = outputOf(
      `${listenFirst}
      import { Epoll, EventFd, Inotify, pipe, SignalFd, TimerFd } from "${MODULE}";
      new Epoll().close(); new EventFd().close(); new Inotify().close(); new TimerFd().close();
      new SignalFd([40]).close();
      for (const end of pipe()) end.close();
      const held = [];
      try { for (;;) held.push(new EventFd()); } catch (error) { console.log(error.code); }
      for (const open of [() => new Epoll(), () => new Inotify(), () => new TimerFd(), () => new SignalFd([40]), pipe]) {
        try { open(); console.log("opened"); } catch (error) { console.log(error.code, error.syscall); }
      }
      held.pop().close();
      new Epoll().close();
      for (const event of held) event.close();`,
      { before: "ulimit -n 200" },
    );
    assertEquals(output.split("\n"), [
      "EMFILE",
      "EMFILE epoll_create1",
      "EMFILE inotify_init1",
      "EMFILE timerfd_create",
      "EMFILE signalfd",
      "EMFILE pipe2",
    ]);
  });

  it("are watched by the thousand, each told of by its own token", () => {
    const many = tiered({ quick: 2_000, full: 4_000, soak: 4_000 });
    const output = outputOf(
      `
      import { Epoll, EPOLLIN, EventFd } from "${MODULE}";
      const epoll = new Epoll();
      const events = Array.from({ length: ${many} }, () => new EventFd());
      for (const [token, { fd }] of events.entries()) epoll.add(fd, EPOLLIN, token);
      for (let i = 0; i < ${many}; i += 7) events[i].write();
      const seen = new Set();
      for (let count; (count = epoll.wait(0)) > 0;) {
        for (let i = 0; i < count; i++) { seen.add(epoll.token(i)); events[epoll.token(i)].read(); }
      }
      console.log(seen.size, [...seen].every((token) => token % 7 === 0));`,
      { before: `ulimit -n ${many + 500} || exit 1` },
    );
    assertEquals(output, `${Math.ceil(many / 7)} true`);
  });
});

describe("a pipe", () => {
  it("carries bytes one way, blocks neither end, and ends with 0", () => {
    const [reader, writer] = pipe();
    const bytes = new Uint8Array(8);
    assertEquals([reader.read(bytes), reader.isBlocking, writer.isBlocking], [-1, false, false]);
    assertEquals(writer.write(Uint8Array.of(1, 2, 3)), 3);
    assertEquals([reader.read(bytes), ...bytes.subarray(0, 3)], [3, 1, 2, 3]);
    writer.close();
    assertEquals([reader.read(bytes), reader.read(bytes)], [0, 0]);
    reader.close();
  });

  it("would block where it is full, and fails with EPIPE where nobody reads", () => {
    const [reader, writer] = pipe();
    let sent = 0;
    const chunk = new Uint8Array(4096);
    for (let count = 0; count !== -1; sent += Math.max(count, 0)) count = writer.write(chunk);
    assert(sent >= 4096);
    reader.close();
    assertEquals(codeOf(() => writer.write(chunk), "write failed"), "EPIPE");
    writer.close();
  });
});
