import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { check, libc, SystemError, word } from "../../ffi/mod.ts";

import {
  Epoll,
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLMSG,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDBAND,
  EPOLLRDHUP,
  EPOLLRDNORM,
  EPOLLWAKEUP,
  EPOLLWRBAND,
  EPOLLWRNORM,
  EventFd,
  NativeBuffer,
  pipe,
  UnixSocket,
} from "../../lib/io/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { pair } from "./pair.ts";

const MSG_OOB = 1;
const FLAGS = [
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLMSG,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDBAND,
  EPOLLRDHUP,
  EPOLLRDNORM,
  EPOLLWAKEUP,
  EPOLLWRBAND,
  EPOLLWRNORM,
];
const WITH_EXCLUSIVE = [EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLWAKEUP];

describe("the flags of epoll", () => {
  it("are the header's", () => {
    const bits = FLAGS.map((flag) => Math.log2(flag >>> 0)).sort((a, b) => a - b);
    assertEquals(bits, [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 13, 28, 29, 30, 31]);
  });

  it("are told as they are asked for, of what is the same to a socket", () => {
    const [here, there] = UnixSocket.pair();
    using epoll = new Epoll();
    const out = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
    epoll.add(here.fd, out | EPOLLIN | EPOLLRDNORM | EPOLLRDBAND | EPOLLMSG, 0);
    assertEquals([epoll.wait(0), epoll.events(0)], [1, out]);
    there.fd.write(Uint8Array.of(1));
    assertEquals([epoll.wait(0), epoll.events(0)], [1, out | EPOLLIN | EPOLLRDNORM]);
    epoll.modify(here.fd, EPOLLRDNORM, 0);
    assertEquals([epoll.wait(0), epoll.events(0)], [1, EPOLLRDNORM]);
    for (const socket of [here, there]) socket[Symbol.dispose]();
  });

  it("tell of TCP's urgent byte by EPOLLPRI", () => {
    using ends = pair();
    using epoll = new Epoll();
    epoll.add(ends.server.fd, EPOLLPRI, 0);
    assertEquals(epoll.wait(0), 0);
    const urgent = new NativeBuffer(1);
    check(libc().send(ends.client.fd.number, pointerOf(urgent), word(1), MSG_OOB), "send");
    assertEquals([epoll.wait(5_000), epoll.events(0)], [1, EPOLLPRI]);
  });

  it("tell a pipe's writer by EPOLLERR that nobody reads, and its reader by EPOLLHUP that nobody writes", () => {
    using epoll = new Epoll();
    for (const end of ["reader", "writer"] as const) {
      const [reader, writer] = pipe();
      const [watched, closed] = end === "reader" ? [reader, writer] : [writer, reader];
      epoll.add(watched, EPOLLET, 0);
      closed.close();
      assertEquals([epoll.wait(0), epoll.events(0)], [1, end === "reader" ? EPOLLHUP : EPOLLERR]);
      watched.close();
    }
  });

  it("keep the machine awake where that is permitted, and are passed over elsewhere", () => {
    using event = new EventFd({ initial: 1 });
    using epoll = new Epoll();
    epoll.add(event.fd, EPOLLIN | EPOLLWAKEUP, 3);
    assertEquals([epoll.wait(0), epoll.events(0), epoll.token(0)], [1, EPOLLIN, 3]);
  });

  it("are taken as signed and as unsigned numbers", () => {
    using event = new EventFd({ initial: 1 });
    using epoll = new Epoll();
    epoll.add(event.fd, (EPOLLIN | EPOLLET) >>> 0, 0);
    assertEquals([epoll.wait(0), epoll.wait(0)], [1, 0]);
  });

  it("are refused by name where they are none, and nothing is watched then", () => {
    using event = new EventFd({ initial: 1 });
    using epoll = new Epoll();
    for (const events of [0.5, NaN, Infinity, 2 ** 32, -(2 ** 31) - 1]) {
      const message = `events is ${events}, not flags in 32 bits`;
      assertThrows(() => epoll.add(event.fd, events, 0), RangeError, message);
      assertThrows(() => epoll.modify(event.fd, events, 0), RangeError, message);
    }
    for (const events of ["1", null, undefined, {}, 1n, Symbol("in")]) {
      assertThrows(() => Reflect.apply(epoll.add, epoll, [event.fd, events, 0]), RangeError, "events is");
    }
    for (
      const [events, named] of [[0x20, "0x20"], [EPOLLIN | 0x800, "0x800"], [1 << 27, "0x8000000"]] as const
    ) {
      assertThrows(() => epoll.add(event.fd, events, 0), RangeError, `events has ${named}, which is no flag`);
    }
    assertEquals(epoll.wait(0), 0);
    assertEquals(assertThrows(() => epoll.delete(event.fd), SystemError).code, "ENOENT");
  });
});

/** The address of a buffer's first byte. */
function pointerOf(buffer: NativeBuffer): ReturnType<typeof NativeBuffer.range> {
  return NativeBuffer.range(buffer, 0, 1);
}

describe("EPOLLEXCLUSIVE", () => {
  it("goes with what the kernel lets it go with, and is refused by name with the rest", () => {
    const events = fc.subarray(FLAGS.filter((flag) => flag !== EPOLLEXCLUSIVE));
    fc.assert(fc.property(events, (flags) => {
      using event = new EventFd();
      using epoll = new Epoll();
      const asked = flags.reduce((all, flag) => all | flag, EPOLLEXCLUSIVE);
      if (flags.every((flag) => WITH_EXCLUSIVE.includes(flag))) {
        epoll.add(event.fd, asked, 0);
        return;
      }
      const named = flags.includes(EPOLLONESHOT)
        ? "EPOLLONESHOT, which is armed again by modify"
        : "only with EPOLLIN";
      const error = assertThrows(
        () => epoll.add(event.fd, asked, 0),
        TypeError,
        "EPOLLEXCLUSIVE does not go with",
      );
      assertStringIncludes(error.message, named);
      assertEquals(assertThrows(() => epoll.delete(event.fd), SystemError).code, "ENOENT");
    }));
  });

  it("goes with add alone", () => {
    using event = new EventFd();
    using epoll = new Epoll();
    epoll.add(event.fd, EPOLLIN, 0);
    assertThrows(
      () => epoll.modify(event.fd, EPOLLIN | EPOLLEXCLUSIVE, 0),
      TypeError,
      "cannot modify what is watched: EPOLLEXCLUSIVE goes with add alone",
    );
  });

  it("leaves what was added with it to be deleted and added again, and not to be modified", () => {
    using event = new EventFd({ initial: 1 });
    using epoll = new Epoll();
    epoll.add(event.fd, EPOLLIN | EPOLLEXCLUSIVE, 1);
    const error = assertThrows(
      () => epoll.modify(event.fd, EPOLLIN, 2),
      SystemError,
      "delete it and add it again",
    );
    assertEquals(error.code, "EINVAL");
    epoll.delete(event.fd);
    epoll.add(event.fd, EPOLLIN, 3);
    assertEquals([epoll.wait(0), epoll.token(0)], [1, 3]);
  });

  it("wakes one of two threads that wait, where both wake without it", () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-exclusive-"));
    try {
      const worker = join(folder, "worker.mjs");
      // One event ends the wait; a second one, if there is one, is there by the time that all are told to go.
      writeFileSync(
        worker,
        `import { parentPort, workerData } from "node:worker_threads";
        import { Epoll, EPOLLIN, Fd } from "${moduleUrl("lib/io/mod.ts")}";
        import { dlopen } from "${moduleUrl("ffi/mod.ts")}";
        const { flags, shared, go } = workerData;
        const epoll = new Epoll();
        epoll.add(Fd.unsafeOwn(shared), flags, 1);
        epoll.add(Fd.unsafeOwn(go), EPOLLIN, 2);
        const libc = dlopen(["libc.so.6"], { gettid: { parameters: [], result: "i32" } });
        parentPort.postMessage(libc.symbols.gettid());
        let told = 0;
        for (let tokens = []; !tokens.includes(2);) {
          tokens = Array.from({ length: epoll.wait(20000) }, (_, i) => epoll.token(i));
          if (tokens.length === 0) throw new Error("nothing came");
          if (tokens.includes(1)) told++;
        }
        parentPort.postMessage(told);`,
      );
      const output = outputOf(`
        import { readFileSync } from "node:fs";
        import { Worker } from "node:worker_threads";
        import { EPOLLET, EPOLLEXCLUSIVE, EPOLLIN, EventFd } from "${moduleUrl("lib/io/mod.ts")}";
        const isAsleep = (tid) => /\\) S /.test(readFileSync("/proc/self/task/" + tid + "/stat", "utf8"));
        async function run(flags) {
          const shared = new EventFd(), go = new EventFd();
          const workers = [0, 1].map(() => new Worker(new URL("${pathToFileURL(worker)}"), {
            workerData: { flags, shared: shared.fd.dup().number, go: go.fd.dup().number },
          }));
          const next = (worker) => new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
          const tids = await Promise.all(workers.map(next));
          for (let quiet = 0; quiet < 20; quiet = tids.every(isAsleep) ? quiet + 1 : 0) {
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
          shared.write();
          await new Promise((resolve) => setTimeout(resolve, 100));
          const told = Promise.all(workers.map(next));
          go.write();
          const counts = await told;
          await Promise.all(workers.map((worker) => worker.terminate()));
          return counts[0] + counts[1];
        }
        console.log(await run(EPOLLIN | EPOLLET), await run(EPOLLIN | EPOLLET | EPOLLEXCLUSIVE));`);
      assertEquals(output, "2 1");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("an epoll instance that watches another", () => {
  it("tells that the other has an event, and no more of it", () => {
    using event = new EventFd();
    using inner = new Epoll();
    using outer = new Epoll();
    inner.add(event.fd, EPOLLIN, 1);
    outer.add(inner.fd, EPOLLIN, 2);
    assertEquals(outer.wait(0), 0);
    event.write();
    for (let i = 0; i < 2; i++) {
      assertEquals([outer.wait(0), outer.token(0), outer.events(0)], [1, 2, EPOLLIN]);
    }
    assertEquals([inner.wait(0), inner.token(0)], [1, 1]);
    event.read();
    assertEquals([outer.wait(0), inner.wait(0)], [0, 0]);
  });

  it("takes each edge of the other, which is told of none twice", () => {
    using event = new EventFd();
    using inner = new Epoll();
    using outer = new Epoll();
    inner.add(event.fd, EPOLLIN | EPOLLET, 1);
    outer.add(inner.fd, EPOLLIN | EPOLLET, 2);
    for (let i = 0; i < 3; i++) {
      event.write();
      assertEquals([outer.wait(0), outer.wait(0), inner.wait(0)], [1, 0, 1]);
    }
  });

  it("is not the other itself, in a circle or through a duplicate", () => {
    using a = new Epoll();
    using b = new Epoll();
    using copy = a.fd.dup();
    a.add(b.fd, EPOLLIN, 0);
    const circle = assertThrows(
      () => b.add(a.fd, EPOLLIN, 0),
      SystemError,
      "is an epoll instance that watches this one",
    );
    assertEquals(circle.code, "ELOOP");
    for (const itself of [a.fd, copy]) {
      assertEquals(
        assertThrows(() => a.add(itself, EPOLLIN, 0), SystemError, "is this instance").code,
        "EINVAL",
      );
    }
  });

  it("watches no row of more than five", () => {
    const row = [new Epoll()];
    const error = assertThrows(
      () => {
        for (let i = 0; i < 10; i++) {
          const next = new Epoll();
          row.push(next);
          next.add(row[i].fd, EPOLLIN, 0);
        }
      },
      SystemError,
      "five watch one another in a row",
    );
    assertEquals([error.code, row.length], ["ELOOP", 6]);
    for (const epoll of row) epoll.close();
  });

  it("does not take EPOLLEXCLUSIVE", () => {
    using inner = new Epoll();
    using outer = new Epoll();
    const error = assertThrows(
      () => outer.add(inner.fd, EPOLLIN | EPOLLEXCLUSIVE, 0),
      SystemError,
      "or another, which does not take EPOLLEXCLUSIVE",
    );
    assertEquals(error.code, "EINVAL");
  });

  it("is told nothing any more of one that was closed", () => {
    using event = new EventFd({ initial: 1 });
    using inner = new Epoll();
    using outer = new Epoll();
    inner.add(event.fd, EPOLLIN, 1);
    outer.add(inner.fd, EPOLLIN, 2);
    assertEquals(outer.wait(0), 1);
    inner.close();
    assertEquals([outer.wait(0), inner.isClosed], [0, true]);
  });
});
