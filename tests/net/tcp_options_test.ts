import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Socket } from "../../lib/io/mod.ts";
import { TcpListener } from "../../lib/net/mod.ts";
import { run } from "../../lib/task/mod.ts";
import { local, pair } from "./ends.ts";
import { unlessIpv6 } from "./ipv6.ts";

/** A socket that listens, and has every option that a connection has. */
function socket(hostname = "127.0.0.1"): Socket {
  return Socket.listen({ hostname, port: 0 });
}

describe("a socket's options", () => {
  it("keep a silent peer alive, how and whether", () => {
    using own = socket();
    assertEquals(own.keepAlive, undefined);
    own.setKeepAlive({ idle: 30, interval: 5, count: 3 });
    assertEquals(own.keepAlive, { idle: 30, interval: 5, count: 3 });
    own.setKeepAlive({ count: 4 });
    assertEquals(own.keepAlive, { idle: 30, interval: 5, count: 4 });
    own.setKeepAlive(false);
    assertEquals(own.keepAlive, undefined);
    own.setKeepAlive(true);
    assertEquals(own.keepAlive?.idle, 30);
    assertThrows(
      () => own.setKeepAlive({ idle: 0 }),
      RangeError,
      "idle is 0, not an integer from 1 to 32767",
    );
    for (const wrong of ["false", 1, undefined]) {
      assertThrows(() => Reflect.apply(own.setKeepAlive, own, [wrong]), TypeError, "and no boolean");
      assertThrows(() => Reflect.apply(own.setNoDelay, own, [wrong]), TypeError, "and no boolean");
    }
    assertThrows(() => own.setKeepAlive({ count: 128 }), RangeError, "count is 128");
    assertThrows(() => Reflect.apply(own.setKeepAlive, own, [{ idel: 5 }]), TypeError, 'no option "idel"');
  });

  it("linger as they were told", () => {
    using own = socket();
    assertEquals(own.linger, undefined);
    for (const seconds of [0, 7, undefined]) {
      own.setLinger(seconds);
      assertEquals(own.linger, seconds);
    }
  });

  it("limit the routers that a packet passes, and say what service it wants", () => {
    using own = socket();
    own.setTtl(3);
    own.setTypeOfService(0x10);
    assertEquals([own.ttl, own.typeOfService], [3, 0x10]);
    for (const hops of [0, 256, 1.5]) assertThrows(() => own.setTtl(hops), RangeError, "hops is");
    for (const value of [-1, 256]) assertThrows(() => own.setTypeOfService(value), RangeError, "value is");
  });

  it("do so of IPv6 as well", { skip: unlessIpv6() }, () => {
    using own = socket("::1");
    own.setTtl(9);
    own.setTypeOfService(0x20);
    assertEquals([own.ttl, own.typeOfService], [9, 0x20]);
  });

  it("say how long what was sent may go unacknowledged", () => {
    using own = socket();
    assertEquals(own.userTimeout, 0);
    own.setUserTimeout(5_000);
    assertEquals(own.userTimeout, 5_000);
    assertThrows(() => own.setUserTimeout(-1), RangeError, "ms is -1");
  });

  it("size its buffers", async () => {
    await run(async () => {
      using listener = TcpListener.bind(local);
      const [client, server] = await pair(listener);
      client.socket.setSendBufferSize(30_000);
      client.socket.setReceiveBufferSize(30_000);
      assert(client.socket.sendBufferSize >= 30_000 && client.socket.receiveBufferSize >= 30_000);
      assertEquals(client.socket.takeError("connect"), undefined);
      client.close();
      server.close();
    });
  });
});
