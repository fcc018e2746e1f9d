import { describe, it } from "node:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { hostName, SystemError } from "../../ffi/mod.ts";
import {
  DatagramBatch,
  DatagramSocket,
  type NetAddress,
  Socket,
  type UnixAddress,
  UnixDatagramSocket,
  UnixSocket,
} from "../../lib/io/mod.ts";
import {
  TcpListener,
  TcpStream,
  UdpSocket,
  UnixDatagram,
  UnixListener,
  UnixStream,
} from "../../lib/net/mod.ts";
import { run } from "../../lib/task/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";

const local = { hostname: "127.0.0.1", port: 0 };
const elsewhere = { hostname: "127.0.0.2", port: 9 };

/** How often its getters were asked. */
interface Counted {
  readonly reads: readonly number[];
}

/** An address that says one thing when it is asked first, and another afterwards. */
function shifty({ hostname, port }: NetAddress): NetAddress & Counted {
  let hostnames = 0;
  let ports = 0;
  return {
    get hostname() {
      return hostnames++ === 0 ? hostname : elsewhere.hostname;
    },
    get port() {
      return ports++ === 0 ? port : elsewhere.port;
    },
    get reads() {
      return [hostnames, ports];
    },
  };
}

function shiftyPath(first: string, then: string): { readonly path: string } & Counted {
  let paths = 0;
  return {
    get path() {
      return paths++ === 0 ? first : then;
    },
    get reads() {
      return [paths];
    },
  };
}

describe("an address whose getters change what they say is read once", () => {
  it("by sockets of TCP", () => {
    const at = shifty(local);
    using listener = Socket.listen(at);
    assertEquals([listener.localAddress.hostname, at.reads], ["127.0.0.1", [1, 1]]);
    const to = shifty(listener.localAddress);
    const from = shifty(local);
    using client = Socket.connect(to, { localAddress: from });
    assertEquals([client.remoteAddress, to.reads], [listener.localAddress, [1, 1]]);
    assertEquals([client.localAddress.hostname, from.reads], ["127.0.0.1", [1, 1]]);
    const taken = shifty(listener.localAddress);
    assertThrows(() => Socket.listen(taken), SystemError, `bind 127.0.0.1:${listener.localAddress.port}`);
  });

  it("by TcpListener and TcpStream, names too", () =>
    run(async () => {
      for (const hostname of ["127.0.0.1", "localhost"]) {
        const at = shifty({ hostname, port: 0 });
        using listener = TcpListener.bind(at);
        assertEquals([listener.address.hostname, at.reads], ["127.0.0.1", [1, 1]]);
        const to = shifty({ hostname, port: listener.address.port });
        const from = shifty(local);
        using stream = await TcpStream.connect(to, { localAddress: from });
        assertEquals([stream.remoteAddress, to.reads], [listener.address, [1, 1]]);
        assertEquals([stream.localAddress.hostname, from.reads], ["127.0.0.1", [1, 1]]);
        const named = shifty({ hostname, port: 0 });
        using other = await TcpListener.bindName(named);
        assertEquals([other.address.hostname, named.reads], ["127.0.0.1", [1, 1]]);
      }
    }));

  it("by sockets of UDP, and batches", () => {
    const at = shifty(local);
    using server = DatagramSocket.bind(at);
    assertEquals([server.localAddress.hostname, at.reads], ["127.0.0.1", [1, 1]]);
    using client = DatagramSocket.bind(local);
    const to = shifty(server.localAddress);
    client.sendTo(Uint8Array.of(1), to);
    assertEquals([server.recv(new Uint8Array(9)), to.reads], [1, [1, 1]]);
    const batch = new DatagramBatch(1, 1);
    const pushed = shifty(server.localAddress);
    batch.push(Uint8Array.of(1), pushed);
    assertEquals([batch.address(0), pushed.reads], [server.localAddress, [1, 1]]);
    const peer = shifty(server.localAddress);
    client.connect(peer);
    assertEquals([client.remoteAddress, peer.reads], [server.localAddress, [1, 1]]);
    const refused = shifty({ hostname: "255.255.255.255", port: 9 });
    client.disconnect();
    assertThrows(() => client.sendTo(Uint8Array.of(1), refused), SystemError, "sendto 255.255.255.255:9");
  });

  it("by UdpSocket, names too", () =>
    run(async () => {
      for (const hostname of ["127.0.0.1", "localhost"]) {
        const at = shifty({ hostname, port: 0 });
        using server = UdpSocket.bind(at);
        assertEquals([server.localAddress.hostname, at.reads], ["127.0.0.1", [1, 1]]);
        using client = UdpSocket.bind(local);
        const to = shifty(server.localAddress);
        assertEquals([await client.sendTo(Uint8Array.of(1), to), to.reads], [1, [1, 1]]);
        assertEquals(await server.recv(new Uint8Array(9)), 1);
      }
    }));

  it("by sockets of this machine, whose files are removed where they were made", async () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-read-once-"));
    const other = join(folder, "other");
    try {
      using bystander = UnixSocket.listen(other);
      const at = shiftyPath(join(folder, "s"), other);
      {
        using listener = UnixSocket.listen(at, 1, { mode: 0o600 });
        const to = shiftyPath(join(folder, "s"), other);
        using client = UnixSocket.connect(to);
        assertEquals([client.remoteAddress.path, to.reads], [join(folder, "s"), [1]]);
        assertEquals([listener.localAddress.path, at.reads], [join(folder, "s"), [1]]);
      }
      const datagrams = shiftyPath(join(folder, "d"), other);
      using server = UnixDatagramSocket.bind(datagrams);
      const receiver = shiftyPath(join(folder, "d"), other);
      using client = UnixDatagramSocket.unbound();
      assertEquals([client.sendMessage(Uint8Array.of(1), [], receiver), receiver.reads], [1, [1]]);
      const peer = shiftyPath(join(folder, "d"), other);
      client.connect(peer);
      assertEquals([client.remoteAddress, peer.reads, datagrams.reads], [server.localAddress, [1], [1]]);
      await run(async () => {
        const bound = shiftyPath(join(folder, "l"), other);
        {
          using listener = UnixListener.bind(bound);
          const to = shiftyPath(join(folder, "l"), other);
          using stream = await UnixStream.connect(to);
          assertEquals([stream.remoteAddress.path, to.reads], [join(folder, "l"), [1]]);
          assertEquals([listener.address, bound.reads], [{ path: join(folder, "l") }, [1]]);
        }
        const file = shiftyPath(join(folder, "u"), other);
        {
          using receiver = UnixDatagram.bind(file);
          assertEquals([receiver.localAddress.path, file.reads], [join(folder, "u"), [1]]);
        }
        const missing = shiftyPath(join(folder, "missing"), other);
        await assertRejects(() => UnixStream.connect(missing), SystemError, join(folder, "missing"));
      });
      assertEquals(readdirSync(folder).sort(), ["d", "other", "s"]);
      assertEquals(bystander.localAddress.path, other);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("so that Deno is asked for what is used", {
    skip: skipping(hostName === "deno" ? false : "only Deno has permissions"),
  }, () => {
    const source = `
      import { DatagramSocket, Socket, UnixSocket } from "${moduleUrl("lib/io/mod.ts")}";
      import { TcpListener, UdpSocket } from "${moduleUrl("lib/net/mod.ts")}";
      import { run } from "${moduleUrl("lib/task/mod.ts")}";
      const lying = (name, answers, rest) => {
        let reads = 0;
        return Object.defineProperty({ ...rest }, name, { get: () => answers[Math.min(reads++, 1)] });
      };
      const denied = ["127.0.0.1", "127.0.0.2"];
      const attempts = {
        listen: () => Socket.listen(lying("hostname", denied, { port: 0 })),
        bind: () => DatagramSocket.bind(lying("hostname", denied, { port: 0 })),
        udp: () => UdpSocket.bind(lying("hostname", ["localhost", "127.0.0.2"], { port: 0 })),
        localhost: () => TcpListener.bind(lying("hostname", ["localhost", "127.0.0.2"], { port: 0 })),
        path: () => UnixSocket.connect(lying("path", ["/run/denied", "/tmp/permitted"], {})),
      };
      await run(async () => {
        for (const [name, attempt] of Object.entries(attempts)) {
          try {
            attempt();
            console.log(name, "was let through");
          } catch (error) {
            console.log(name, error.name);
          }
        }
      });
    `;
    const net = "--allow-net=127.0.0.2,unix:/tmp/permitted";
    const permissions = ["--allow-ffi", "--allow-env", "--allow-read=/tmp", "--allow-write=/tmp", net];
    assertEquals(outputOf(source, { permissions }).split("\n"), [
      "listen NotCapable",
      "bind NotCapable",
      "udp NotCapable",
      "localhost NotCapable",
      "path NotCapable",
    ]);
  });
});

describe("the bytes of an abstract name", () => {
  const bytesOf = () => new TextEncoder().encode(`oxbow-bytes-${crypto.randomUUID()}`);
  const nameOf = (address: UnixAddress) => "abstract" in address ? address.abstract : address.path;

  it("are copied from who gives them, and for who asks", () =>
    run(async () => {
      const name = bytesOf();
      const given = name.slice();
      using listener = UnixListener.bind({ abstract: given });
      given.fill(0);
      assertEquals(nameOf(listener.address), name);
      const told = nameOf(listener.address);
      if (typeof told !== "string") told.fill(0);
      assertEquals(nameOf(listener.address), name);
      using stream = await UnixStream.connect(listener.address);
      const unpolled = name.slice();
      const connecting = UnixStream.connect({ abstract: unpolled });
      unpolled.fill(0);
      using other = await connecting;
      assertEquals(other.remoteAddress, stream.remoteAddress);
    }));
});
