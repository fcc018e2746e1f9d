import { describe, it } from "node:test";
import { readFileSync } from "node:fs";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  EventFd,
  pipe,
  Socket,
} from "../../lib/io/mod.ts";
import { EpollPoller } from "../../lib/task/reactor/epoll_poller.ts";
import type { Poller } from "../../lib/task/reactor/poller.ts";
import { PollPoller } from "../../lib/task/reactor/poll_poller.ts";
import { Reactor } from "../../lib/task/reactor/reactor.ts";
import type { ScheduledIo } from "../../lib/task/reactor/scheduled_io.ts";
import type { Waker } from "../../lib/task/mod.ts";
import { listenFirst, moduleUrl, outputOf } from "../child.ts";
import { pair } from "../io/pair.ts";
import { skipping } from "../skip.ts";
import { tiered } from "../tier.ts";
import { descriptors, openedSince } from "../descriptors.ts";

/** What the poller tells within the time, by token. */
function told(poller: Poller, timeoutMs: number): Map<number, number> {
  const events = new Map<number, number>();
  const count = poller.wait(timeoutMs);
  for (let i = 0; i < count; i++) events.set(poller.token(i), poller.events(i));
  return events;
}

class Counter implements Waker {
  wakes = 0;

  wake(): void {
    this.wakes++;
  }
}

/** As many descriptors as this process may have, beside some hundred of its own. */
function limit(): number {
  const line = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  return Number(line?.[1] ?? 0) - 300;
}

const MOST = Math.min(limit(), 20_000);
const MANY = tiered({ quick: 300, full: MOST, soak: MOST });

const tooMany = skipping(
  limit() < 300 ? `this process may have ${limit()} descriptors more, and not 300` : false,
);

for (const [name, make] of [["epoll", () => new EpollPoller()], ["poll", () => new PollPoller()]] as const) {
  describe(`a poller by ${name}`, () => {
    it("tells nothing of nothing, and waits for no time where none is given", () => {
      using poller = make();
      assertEquals([poller.wait(0), poller.wait(1), poller.isClosed], [0, 0, false]);
    });

    it("tells of a descriptor at once, and not again before it was rearmed or more has come", () => {
      using poller = make();
      using event = new EventFd({ initial: 1 });
      poller.add(event.fd, 7);
      assertEquals(told(poller, 1_000), new Map([[7, EPOLLIN | EPOLLOUT]]));
      assertEquals(told(poller, 0), new Map());
      assertEquals(event.read(), 1);
      poller.rearm(event.fd, 7, EPOLLIN);
      // That it could be written is told again.
      assertEquals((told(poller, 0).get(7) ?? 0) & EPOLLIN, 0);
      event.write();
      assertEquals((told(poller, 1_000).get(7) ?? 0) & EPOLLIN, EPOLLIN);
    });

    it("tells of those alone that are ready, each by its own token", () => {
      using poller = make();
      using events = new Events(20);
      for (const [i, event] of events.all.entries()) poller.add(event.fd, 1_000 + i);
      assertEquals(told(poller, 1_000).size, 20);
      for (const i of [3, 19, 0]) {
        poller.rearm(events.all[i].fd, 1_000 + i, EPOLLIN);
        events.all[i].write();
      }
      assertEquals([...told(poller, 1_000).keys()].sort(), [1_000, 1_003, 1_019]);
    });

    it("tells of a descriptor no more once it was deleted, though it was ready before, and of the others still", () => {
      using poller = make();
      using events = new Events(5);
      for (const [i, event] of events.all.entries()) poller.add(event.fd, i);
      assertEquals(told(poller, 1_000).size, 5);
      for (const [i, event] of events.all.entries()) {
        poller.rearm(event.fd, i, EPOLLIN);
        event.write();
      }
      for (const i of [0, 4, 2]) poller.delete(events.all[i].fd, i);
      assertEquals([...told(poller, 1_000).keys()].sort(), [1, 3]);
    });

    it("takes one that was deleted anew, at once", () => {
      using poller = make();
      using event = new EventFd({ initial: 1 });
      poller.add(event.fd, 1);
      poller.delete(event.fd, 1);
      poller.add(event.fd, 2);
      assertEquals([...told(poller, 1_000).keys()], [2]);
    });

    it("refuses one that it has, and one that is closed, and has what it had", () => {
      using poller = make();
      using event = new EventFd({ initial: 1 });
      const closed = new EventFd();
      closed.close();
      poller.add(event.fd, 1);
      assertThrows(() => poller.add(event.fd, 2), Error, "EEXIST");
      assertThrows(() => poller.add(closed.fd, 3), Error);
      assertEquals([...told(poller, 1_000).keys()], [1]);
    });

    it("forgets one that its owner has closed, whose number another has", () => {
      using poller = make();
      const first = new EventFd();
      poller.add(first.fd, 1);
      assertEquals(told(poller, 1_000).size, 1);
      poller.rearm(first.fd, 1, EPOLLIN);
      const { number } = first.fd;
      first.close();
      using second = new EventFd({ initial: 1 });
      assertEquals(second.fd.number, number);
      assertEquals(told(poller, 5).size, 0);
      poller.add(second.fd, 2);
      assertEquals([...told(poller, 1_000).keys()], [2]);
      poller.delete(first.fd, 1);
      poller.rearm(second.fd, 2, EPOLLIN);
      second.write();
      assertEquals([...told(poller, 1_000).keys()], [2]);
    });

    it("tells of a hang-up and of an error what is, once", () => {
      using poller = make();
      const [reader, writer] = pipe();
      poller.add(writer, 1);
      assertEquals(told(poller, 1_000), new Map([[1, EPOLLOUT]]));
      reader.close();
      assertEquals((told(poller, 1_000).get(1) ?? 0) & EPOLLERR, EPOLLERR);
      assertEquals(told(poller, 0).size, 0);
      const [second, other] = pipe();
      poller.add(second, 2);
      assertEquals(told(poller, 0).size, 0);
      other.close();
      assertEquals((told(poller, 1_000).get(2) ?? 0) & EPOLLHUP, EPOLLHUP);
      for (const [fd, token] of [[writer, 1], [second, 2]] as const) {
        poller.delete(fd, token);
        fd.close();
      }
    });

    it("tells of a peer that sends no more", () => {
      using poller = make();
      using ends = pair();
      poller.add(ends.server.fd, 1);
      assertEquals(told(poller, 1_000), new Map([[1, EPOLLOUT]]));
      ends.client.shutdown("write");
      assertEquals((told(poller, 1_000).get(1) ?? 0) & EPOLLRDHUP, EPOLLRDHUP);
    });

    it("tells of a connection that was refused", () => {
      const listener = Socket.listen({ hostname: "127.0.0.1", port: 0 });
      const address = listener.localAddress;
      listener.fd.close();
      using poller = make();
      using client = Socket.connect(address);
      poller.add(client.fd, 1);
      assertEquals((told(poller, 5_000).get(1) ?? 0) & (EPOLLERR | EPOLLHUP), EPOLLERR | EPOLLHUP);
    });

    it("closes what it has opened", () => {
      const before = descriptors();
      for (let i = 0; i < 100; i++) {
        const poller = make();
        poller[Symbol.dispose]();
        poller[Symbol.dispose]();
        assertEquals(poller.isClosed, true);
      }
      assert(openedSince(before).length < 50);
    });

    it("watches as many as there may be", { skip: tooMany }, () => {
      using reactor = new Reactor(make());
      using events = new Events(MANY);
      const ios = events.all.map((event) => reactor.register(event.fd));
      assertEquals(reactor.registrations, MANY);
      const counters = ios.map(() => new Counter());
      while (reactor.turn(0) > 0);
      for (const [i, io] of ios.entries()) {
        io.clearReadable();
        io.waitReadable(counters[i]);
      }
      const chosen = [0, 1, MANY >> 1, MANY - 1];
      for (const i of chosen) events.all[i].write();
      for (let count = 0; count < chosen.length;) count += reactor.turn(5_000);
      assertEquals(counters.flatMap(({ wakes }, i) => wakes > 0 ? [i] : []), chosen);
      for (const event of events.all) event.write();
      for (let woken = 0; woken < MANY;) {
        reactor.turn(5_000);
        woken = counters.filter(({ wakes }) => wakes > 0).length;
      }
      for (const io of ios) reactor.deregister(io);
      assertEquals([reactor.registrations, reactor.turn(0)], [0, 0]);
    });

    it("is asked by a reactor whose wakers register and deregister others at their call", () => {
      using reactor = new Reactor(make());
      using events = new Events(3);
      const [leaver, joiner, other] = events.all;
      const ios: ScheduledIo[] = [];
      const late = new Counter();
      while (reactor.turn(0) > 0);
      const watch = (event: EventFd, wake: () => void): void => {
        const io = reactor.register(event.fd);
        io.clearReadable();
        io.clearWritable();
        io.waitReadable({ wake });
        ios.push(io);
      };
      watch(leaver, () => reactor.deregister(ios[0]));
      watch(joiner, () => {
        const io = reactor.register(other.fd);
        io.clearReadable();
        io.waitReadable(late);
      });
      while (reactor.turn(0) > 0);
      for (const event of events.all) event.write();
      while (late.wakes === 0) assert(reactor.turn(5_000) > 0);
      assertEquals(reactor.registrations, 2);
    });
  });

  describe(`run on ${name}`, () => {
    it("says that descriptors have run out, and runs once there are some", () => {
      const output = outputOf(
        `${listenFirst}
        import { EventFd } from "${moduleUrl("lib/io/mod.ts")}";
        import { run, sleep } from "${moduleUrl("lib/task/mod.ts")}";
        import { AsyncFd } from "${moduleUrl("lib/task/mod.ts")}";
        await run(() => sleep(0));
        const events = [];
        try {
          for (;;) events.push(new EventFd());
        } catch (error) {
          console.log(error.code);
        }
        console.log(await run(() => sleep(0), { poller: "${name}" }).then(() => "ran", ({ code }) => code));
        while (events.length > 0) events.pop().close();
        console.log(await run(async () => {
          using event = new EventFd({ initial: 5 });
          using watched = new AsyncFd(event.fd);
          return await watched.read(() => event.read());
        }, { poller: "${name}" }));
      `,
        { before: "ulimit -n 256" },
      );
      assertEquals(output.split("\n"), ["EMFILE", name === "epoll" ? "EMFILE" : "ran", "5"]);
    });

    it("goes on where a signal interrupts its wait", () => {
      const output = outputOf(`
        import process from "node:process";
        import { spawn as execute } from "node:child_process";
        import { run, Signal, sleep } from "${moduleUrl("lib/task/mod.ts")}";
        await run(async () => {
          using usr = new Signal("SIGUSR2");
          // On and on, as those that come while one is pending are one.
          const child = execute("sh", ["-c", "while sleep 0.05; do kill -USR2 " + process.pid + " || exit; done"]);
          for (let i = 0; i < 3; i++) await usr.recv();
          await sleep(2);
          child.kill();
          console.log("went on");
        }, { poller: "${name}" });
      `);
      assertEquals(output, "went on");
    });
  });
}

/** So many, closed with the block. */
class Events implements Disposable {
  readonly all: EventFd[] = [];

  constructor(count: number) {
    for (let i = 0; i < count; i++) this.all.push(new EventFd());
  }

  [Symbol.dispose](): void {
    for (const event of this.all) event.close();
  }
}
