import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/mod.ts";
import { TcpListener, TcpStream } from "../../lib/net/mod.ts";
import { currentRuntime } from "../../lib/task/runtime/current.ts";
import { type Coroutine, type JoinHandle, run, sleep, spawn } from "../../lib/task/mod.ts";
import { descriptors, local } from "./ends.ts";

describe("TcpStream.connect", () => {
  it("fails where nobody listens, and closes its socket", async () => {
    let port = 0;
    await run(async () => {
      const listener = TcpListener.bind(local);
      port = listener.address.port;
      listener.close();
      await sleep(0);
      const before = descriptors();
      for (let i = 0; i < 50; i++) {
        const error = await assertRejects(
          () => TcpStream.connect({ hostname: "127.0.0.1", port }),
          SystemError,
          `connect 127.0.0.1:${port} failed: Connection refused`,
        );
        assertEquals(error.code, "ECONNREFUSED");
      }
      assert(descriptors() < before + 25);
      assertEquals(currentRuntime().reactor.registrations, 0);
    });
  });

  it("closes its socket where it is aborted", async () => {
    function* connect(listener: TcpListener): Coroutine<void> {
      using _stream = yield* TcpStream.connect(listener.address);
    }
    // Polled right after it, before the reactor is asked.
    function* abortOnce(handle: JoinHandle<void>): Coroutine<void> {
      assertEquals([handle.isFinished, currentRuntime().reactor.registrations], [false, 2]);
      handle.abort();
      yield* sleep(0);
    }
    await run(async () => {
      using listener = TcpListener.bind(local);
      const handle = spawn(connect, listener);
      const aborter = spawn(abortOnce, handle);
      await aborter;
      await sleep(1);
      assertEquals(currentRuntime().reactor.registrations, 1);
    });
  });

  it("refuses a wrong address", async () => {
    await run(async () => {
      await sleep(0);
      assertThrows(() => TcpStream.connect({ hostname: "", port: 80 }), TypeError, "hostname is empty");
      assertThrows(
        () => TcpStream.connect({ hostname: "127.0.0.1", port: 65_536 }),
        RangeError,
        "port is 65536",
      );
      assertEquals(currentRuntime().reactor.registrations, 0);
    });
  });
});
