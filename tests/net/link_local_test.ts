import { describe, it } from "node:test";
import { networkInterfaces } from "node:os";
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { hostName, SystemError } from "../../ffi/mod.ts";
import { lookup, TcpListener, TcpStream, UdpSocket } from "../../lib/net/mod.ts";
import { run } from "../../lib/task/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";

/** An address of a link that this machine has. */
const [link] = Object.entries(networkInterfaces()).flatMap(([name, all]) =>
  (all ?? []).flatMap(({ address, family, scopeid = 0 }) =>
    family === "IPv6" && scopeid > 0 && address.startsWith("fe80:")
      ? [{ name, number: scopeid, address: address.split("%")[0] }]
      : []
  )
);
const skip = skipping(
  link === undefined ? "this machine has no interface with an IPv6 address of its link" : false,
);
const { name, number, address } = link ?? { name: "", number: 0, address: "" };
const told = `${address}%${number}`;

describe("an address of a link", { skip }, () => {
  for (const [how, zone] of [["name", name], ["number", String(number)]]) {
    const hostname = `${address}%${zone}`;

    it(`is listened on and connected to by its interface's ${how}, and told with its number`, () =>
      run(async () => {
        using listener = TcpListener.bind({ hostname, port: 0 });
        assertEquals(listener.address.hostname, told);
        const { port } = listener.address;
        using client = await TcpStream.connect({ hostname, port }, { localAddress: { hostname, port: 0 } });
        const { stream, address: from } = await listener.accept();
        using server = stream;
        assertEquals([client.localAddress.hostname, client.remoteAddress], [told, { hostname: told, port }]);
        assertEquals([server.localAddress, from], [listener.address, client.localAddress]);
        // What is told can be connected to.
        using again = await TcpStream.connect(listener.address);
        assertEquals(again.remoteAddress.hostname, told);
      }));

    it(`sends and receives datagrams by its interface's ${how}`, () =>
      run(async () => {
        using server = UdpSocket.bind({ hostname, port: 0 });
        using client = UdpSocket.bind({ hostname, port: 0 });
        assertEquals(server.localAddress.hostname, told);
        const to = { hostname, port: server.localAddress.port };
        const into = new Uint8Array(10);
        // Twice: the second time the socket has the address from the first.
        for (let i = 0; i < 2; i++) {
          await client.sendTo(Uint8Array.of(1, 2), to);
          assertEquals((await server.recvFrom(into)).address, client.localAddress);
        }
        client.connect(to);
        await client.send(Uint8Array.of(3));
        assertEquals(await server.recv(into), 1);
      }));
  }

  it("is looked up as it is", async () => {
    assertEquals(await run(() => lookup(`${address}%${name}`)), [
      { hostname: `${address}%${name}`, family: 6 },
    ]);
    await run(async () => {
      using listener = await TcpListener.bindName({ hostname: `${address}%${name}`, port: 0 });
      assertEquals(listener.address.hostname, told);
    });
  });

  it("asks Deno for the address alone", {
    skip: skipping(hostName === "deno" ? false : "only Deno has permissions"),
  }, () => {
    const source = `
      import { TcpListener, TcpStream, UdpSocket } from "${moduleUrl("lib/net/mod.ts")}";
      import { run } from "${moduleUrl("lib/task/mod.ts")}";
      await run(async () => {
        using listener = TcpListener.bind({ hostname: "${address}%${name}", port: 0 });
        using stream = await TcpStream.connect(listener.address);
        using socket = UdpSocket.bind({ hostname: "${told}", port: 0 });
        await socket.sendTo(new Uint8Array(1), { hostname: "${address}%${name}", port: 9 });
        try {
          await TcpStream.connect({ hostname: "fe80::77%${name}", port: 9 });
        } catch (error) {
          console.log(error.name, error.message);
        }
      });
    `;
    const permissions = ["--allow-ffi", "--allow-read", "--allow-env", `--allow-net=[${address}]`];
    const wanted = 'NotCapable Requires net access to "[fe80::77]:9"';
    assertStringIncludes(outputOf(source, { permissions }), wanted);
  });
});

describe("an interface that is not there", () => {
  const at = { hostname: "fe80::1%nosuch0", port: 0 };

  it("is named, and is the machine's matter and not the argument's", () =>
    run(async () => {
      const errors = [
        assertThrows(() => TcpListener.bind(at), SystemError, "if_nametoindex nosuch0 failed"),
        assertThrows(() => UdpSocket.bind(at), SystemError, "if_nametoindex nosuch0 failed"),
        await assertRejects(() => TcpStream.connect(at), SystemError, "if_nametoindex nosuch0 failed"),
      ];
      assertEquals(errors.map(({ code }) => code), ["ENODEV", "ENODEV", "ENODEV"]);
    }));

  it("is an argument's error where none can have the name", () =>
    run(() => {
      for (const hostname of ["fe80::1%", "fe80::1%a b", "fe80::1%4294967296"]) {
        const wrong = { hostname, port: 9 };
        const message = `cannot use ${JSON.stringify(hostname)} as an address`;
        assertThrows(() => TcpListener.bind(wrong), TypeError, message);
        assertThrows(() => TcpListener.bindName(wrong), TypeError, message);
        assertThrows(() => TcpStream.connect(wrong), TypeError, message);
        assertThrows(() => UdpSocket.bind(wrong), TypeError, message);
        const options = { localAddress: wrong };
        assertThrows(() => TcpStream.connect({ hostname: "::1", port: 9 }, options), TypeError, message);
      }
      return Promise.resolve();
    }));
});
