import { Buffer } from "node:buffer";
import { spawn as spawnByHost, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect as connectByHost, createServer as createPlainServer } from "node:net";
import { describe, it } from "node:test";
import { connect as connectTlsByHost, createServer, type TLSSocket } from "node:tls";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { type Coroutine, type JoinHandle, run, sleep, spawn } from "../../lib/task/mod.ts";
import { slept } from "./ends.ts";
import { TcpListener, TcpStream } from "../../lib/net/mod.ts";
import { toFuture } from "../../lib/task/futures/to_future.ts";
import { hostName, SystemError } from "../../ffi/mod.ts";
import { acceptTls, connectTls, type TlsStream } from "../../lib/net/tls.ts";
import { skipping } from "../skip.ts";
import { certificateFiles, makeCertificate } from "./certificate.ts";
import { descriptors, openedSince } from "../descriptors.ts";

const local = { hostname: "127.0.0.1", port: 0 };

/** openssl has no `--version`, as `unlessInstalled` asks. */
function unlessHere(program: string, flag: string): string | false {
  return skipping(spawnSync(program, [flag]).status === 0 ? false : `${program} is not installed`);
}
const unlessBun = skipping(hostName === "bun" ? false : "what bun alone does");
const unlessHalfOpen = skipping(hostName === "bun" ? "Bun's node:tls has no half-close" : false);
const unlessStrict = skipping(hostName === "deno" ? "Deno's node:tls reads the key later" : false);
const skip = unlessHere("openssl", "version");
const { key, cert } = skip === false ? makeCertificate() : { key: "", cert: "" };
const identity = { key, cert };
const trusting = { servername: "localhost", ca: cert };

function pattern(length: number, seed = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 255);
}

async function readAll(stream: TlsStream): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const into = new Uint8Array(20_000);
  for (let count = await stream.read(into); count > 0; count = await stream.read(into)) {
    parts.push(into.slice(0, count));
  }
  return Buffer.concat(parts);
}

function* echo(stream: TlsStream): Coroutine<void> {
  using connection = stream;
  const bytes = new Uint8Array(16_384);
  for (;;) {
    const count = yield* connection.read(bytes);
    if (count === 0) break;
    yield* connection.writeAll(bytes.subarray(0, count));
  }
  yield* connection.shutdown();
}

function serving(listener: TcpListener, options = { key, cert }): JoinHandle<void> {
  return spawn(function* (): Coroutine<void> {
    for (;;) {
      if (listener.isClosed) return;
      const { stream } = yield* listener.accept();
      spawn(function* (): Coroutine<void> {
        yield* toFuture(echo(yield* acceptTls(stream, options))).settled();
      });
    }
  });
}

async function hostServer(
  handle: (socket: TLSSocket) => void,
  options: { ALPNProtocols?: string[] } = {},
): Promise<{ port: number } & Disposable> {
  const server = createServer({ key, cert, ...options }, (socket) => {
    socket.on("error", () => {});
    handle(socket);
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, [Symbol.dispose]: () => void server.close() };
}

async function freePort(): Promise<number> {
  const server = createPlainServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  server.close();
  await once(server, "close");
  return port;
}

/** Once a program that was just started listens there. */
async function connected(port: number): Promise<TcpStream> {
  for (let tries = 0;; tries++) {
    try {
      return await TcpStream.connect({ ...local, port });
    } catch (error) {
      if (tries === 200) throw error;
      await sleep(20);
    }
  }
}

describe("TLS over a stream of ours", { skip }, () => {
  for (const where of ["in run", "in the host's loop"]) {
    const inside = where === "in run" ? run : (test: () => Promise<void>) => test();

    it(`carries a megabyte there and back between both of ours, ${where}`, () =>
      inside(async () => {
        using listener = TcpListener.bind(local);
        const server = serving(listener);
        using client = await connectTls(await TcpStream.connect(listener.address), trusting);
        assertEquals(client.version, "TLSv1.3");
        const sending = client.writeAll(pattern(1_000_000)).toPromise();
        const received = Buffer.alloc(1_000_000);
        for (let at = 0; at < received.byteLength;) at += await client.read(received.subarray(at));
        await sending;
        assertEquals(Buffer.compare(received, pattern(1_000_000)), 0);
        await client.shutdown();
        server.abort();
      }));

    it(`speaks with a server of node:tls, ${where}`, () =>
      inside(async () => {
        using server = await hostServer((socket) => socket.pipe(socket), { ALPNProtocols: ["h9", "echo"] });
        const tcp = await TcpStream.connect({ ...local, port: server.port });
        using client = await connectTls(tcp, { ...trusting, alpn: ["echo"] });
        assertEquals(client.alpn, "echo");
        await client.writeAll(pattern(300_000));
        const received = Buffer.alloc(300_000);
        for (let at = 0; at < received.byteLength;) at += await client.read(received.subarray(at));
        assertEquals(Buffer.compare(received, pattern(300_000)), 0);
      }));

    it(`serves a client of node:tls, ${where}`, () =>
      inside(async () => {
        using listener = TcpListener.bind(local);
        const server = serving(listener);
        const client = connectTlsByHost({ host: "127.0.0.1", port: listener.address.port, ...trusting });
        await once(client, "secureConnect");
        client.write(pattern(200_000));
        const parts: Uint8Array[] = [];
        let size = 0;
        client.on("data", (part: Uint8Array) => {
          parts.push(part);
          size += part.byteLength;
          if (size === 200_000) client.end();
        });
        await once(client, "close");
        assertEquals(Buffer.compare(Buffer.concat(parts), pattern(200_000)), 0);
        server.abort();
      }));
  }

  it("ends both directions at once with Bun, and says so", { skip: unlessBun }, () =>
    run(async () => {
      using listener = TcpListener.bind(local);
      const server = spawn(async () => {
        using stream = await acceptTls((await listener.accept()).stream, identity);
        const question = await readAll(stream);
        await assertRejects(() => stream.writeAll(pattern(10)).toPromise(), Error, "destroyed");
        return question.toString();
      });
      using client = await connectTls(await TcpStream.connect(listener.address), trusting);
      await client.writeAll(Buffer.from("a question"));
      await client.shutdown();
      await assertRejects(() => client.read(new Uint8Array(1)).toPromise(), Error, "both directions at once");
      assertEquals(await server, "a question");
    }));

  it("ends one direction alone, whatever is under way", { skip: unlessHalfOpen }, () =>
    run(async () => {
      for (const size of [100, 200_000, 1_000_000]) {
        using listener = TcpListener.bind(local);
        const server = serving(listener);
        using client = await connectTls(await TcpStream.connect(listener.address), trusting);
        const sending = (async () => {
          await client.writeAll(pattern(size));
          await client.shutdown();
        })();
        const received = await readAll(client);
        await sending;
        assertEquals(Buffer.compare(received, pattern(size)), 0);
        server.abort();
      }
    }));

  it("answers after the peer has ended what it writes", { skip: unlessHalfOpen }, () =>
    run(async () => {
      using listener = TcpListener.bind(local);
      const server = spawn(async () => {
        using stream = await acceptTls((await listener.accept()).stream, identity);
        const question = await readAll(stream);
        await sleep(10);
        await stream.writeAll(pattern(100_000));
        await stream.shutdown();
        return question.toString();
      });
      using client = await connectTls(await TcpStream.connect(listener.address), trusting);
      await client.writeAll(Buffer.from("a question"));
      await client.shutdown();
      assertEquals(Buffer.compare(await readAll(client), pattern(100_000)), 0);
      assertEquals(await server, "a question");
    }));

  it("agrees on no protocol where none is asked for", () =>
    run(async () => {
      using listener = TcpListener.bind(local);
      const server = serving(listener);
      using client = await connectTls(await TcpStream.connect(listener.address), trusting);
      assertEquals(client.alpn, undefined);
      server.abort();
    }));

  it("refuses a certificate that nobody has signed, and takes it where it is told to", () =>
    run(async () => {
      using server = await hostServer((socket) => socket.end("hello"));
      const address = { ...local, port: server.port };
      const distrusting = { servername: "localhost" };
      const tcp = await TcpStream.connect(address);
      await assertRejects(() => connectTls(tcp, distrusting).toPromise(), Error);
      assert(tcp.isClosed, "the stream was taken over");
      const careless = { ...distrusting, rejectUnauthorized: false };
      using client = await connectTls(await TcpStream.connect(address), careless);
      assertEquals((await readAll(client)).toString(), "hello");
    }));

  it("refuses a certificate for another name", () =>
    run(async () => {
      using server = await hostServer(() => {});
      const tcp = await TcpStream.connect({ ...local, port: server.port });
      await assertRejects(
        () => connectTls(tcp, { ...trusting, servername: "example.com" }).toPromise(),
        Error,
      );
    }));

  it("fails where the peer speaks no TLS, on either side", () =>
    run(async () => {
      const plain = createPlainServer((socket) => {
        socket.on("error", () => {});
        socket.end("SSH-2.0-OpenSSH_9.2p1\r\n");
      });
      plain.listen(0, "127.0.0.1");
      await once(plain, "listening");
      const address = plain.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const tcp = await TcpStream.connect({ ...local, port });
      await assertRejects(() => connectTls(tcp, trusting).toPromise(), Error);
      plain.close();

      using listener = TcpListener.bind(local);
      const client = connectByHost(listener.address.port, "127.0.0.1");
      client.on("error", () => {});
      client.write("GET / HTTP/1.1\r\n\r\n");
      const { stream } = await listener.accept();
      await assertRejects(() => acceptTls(stream, identity).toPromise(), Error);
      client.destroy();
    }));

  it("fails where the peer leaves in the handshake", () =>
    run(async () => {
      using listener = TcpListener.bind(local);
      const client = connectByHost(listener.address.port, "127.0.0.1");
      client.on("error", () => {});
      const { stream } = await listener.accept();
      client.destroy();
      await assertRejects(() => acceptTls(stream, identity).timeout(60_000).toPromise(), Error);
      assert(stream.isClosed);
    }));

  it("closes the connection where a handshake is given up", () =>
    run(async () => {
      using listener = TcpListener.bind(local);
      const tcp = await TcpStream.connect(listener.address);
      using peer = (await listener.accept()).stream;
      await assertRejects(() => connectTls(tcp, trusting).timeout(20).toPromise(), DOMException);
      for (let i = 0; i < 1000 && !tcp.isClosed; i++) await sleep(5);
      assert(tcp.isClosed);
      const into = new Uint8Array(2_000);
      while (await peer.read(into) > 0);
    }));

  it("tells nothing to begin before the first poll", () =>
    run(async () => {
      using listener = TcpListener.bind(local);
      using tcp = await TcpStream.connect(listener.address);
      using peer = (await listener.accept()).stream;
      connectTls(tcp, trusting).drop();
      await sleep(5);
      assert(!tcp.isClosed);
      await tcp.writeAll(Uint8Array.of(7));
      const into = new Uint8Array(9);
      assertEquals([await peer.read(into), into[0]], [1, 7]);
    }));

  it("holds a writer back whose peer has stopped to read", () =>
    run(async () => {
      using files = certificateFiles(identity);
      const port = await freePort();
      const server = spawnByHost(
        "openssl",
        ["s_server", "-accept", `127.0.0.1:${port}`, "-key", files.key, "-cert", files.cert, "-quiet"],
        { stdio: ["pipe", "ignore", "ignore"] },
      );
      using client = await connectTls(await connected(port), trusting);
      server.kill("SIGSTOP");
      const piece = pattern(1_000_000);
      let written = 0;
      let isStopped = false;
      while (!isStopped && written < 50) {
        const { status } = await client.writeAll(piece).timeout(300).settled();
        isStopped = status === "rejected";
        written++;
      }
      server.kill("SIGKILL");
      assert(isStopped, `${written} MB were taken`);
    }));

  it("leaves no descriptor, however it ends", () =>
    run(async () => {
      using listener = TcpListener.bind(local);
      const server = serving(listener);
      async function once(): Promise<void> {
        using client = await connectTls(await TcpStream.connect(listener.address), trusting);
        await client.writeAll(Buffer.from("x"));
        await client.read(new Uint8Array(1));
      }
      await once();
      await slept();
      const before = descriptors();
      for (let i = 0; i < 10; i++) await once();
      for (let i = 0; i < 3_000 && openedSince(before).length > 0; i++) await sleep(10);
      assert(openedSince(before).length === 0);
      server.abort();
    }));

  it("serves openssl's client", () =>
    run(async () => {
      using listener = TcpListener.bind(local);
      const server = serving(listener);
      const port = listener.address.port;
      const client = spawnByHost("openssl", [
        ...["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "localhost", "-quiet", "-no_ign_eof"],
      ], { stdio: ["pipe", "pipe", "ignore"] });
      client.stdin.write("through openssl\n");
      const [answer] = await once(client.stdout, "data");
      assertEquals(String(answer), "through openssl\n");
      client.stdin.end();
      client.kill();
      await once(client, "exit");
      server.abort();
    }));

  it("serves a page to curl", { skip: unlessHere("curl", "--version") }, () =>
    run(async () => {
      using listener = TcpListener.bind(local);
      const server = spawn(async () => {
        using stream = await acceptTls((await listener.accept()).stream, { ...identity, alpn: ["http/1.1"] });
        const into = new Uint8Array(10_000);
        const count = await stream.read(into);
        await stream.writeAll(
          Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"),
        );
        // curl leaves as soon as it has read what it was promised.
        await stream.shutdown().settled();
        return Buffer.from(into.subarray(0, count)).toString();
      });
      const curl = spawnByHost("curl", ["-sk", `https://localhost:${listener.address.port}/a`, "--ipv4"]);
      const [page] = await once(curl.stdout, "data");
      assertEquals(String(page), "hello");
      assert((await server).startsWith("GET /a HTTP/1.1\r\n"));
    }));

  for (const [when, isWaiting] of [["before it reads", false], ["while it reads", true]] as const) {
    it(`fails who reads where the peer has reset the connection ${when}, and ends it where it has closed it`, () =>
      run(async () => {
        for (const resets of [true, false]) {
          using listener = TcpListener.bind(local);
          const tcp = await TcpStream.connect(listener.address);
          const { stream: below } = await listener.accept();
          const accepting = acceptTls(below, identity).toPromise();
          using client = await connectTls(tcp, trusting);
          using server = await accepting;
          await server.writeAll(pattern(5));
          const into = new Uint8Array(9);
          // Read before the reset, which throws away what nobody has read.
          assertEquals(await client.read(into), 5);
          const waiting = isWaiting ? client.read(into).settled().toPromise() : null;
          if (resets) below.socket.setLinger(0);
          below.close();
          await tcp.whenReadable().timeout(5_000).settled();
          const read = await (waiting ?? client.read(into).settled());
          if (!resets) assertEquals(read, { status: "fulfilled", value: 0 });
          else {
            assertEquals(read.status, "rejected");
            if (read.status === "rejected") assertInstanceOf(read.reason, SystemError);
            await assertRejects(() => client.read(into), SystemError, "ECONNRESET");
          }
        }
      }));
  }

  it("refuses wrong options", () => {
    const stream = { read: () => {}, writeAll: () => {}, shutdown: () => {} };
    const given = Object(stream);
    assertThrows(() => connectTls(given, Object({})), TypeError, "servername");
    assertThrows(() => connectTls(given, Object({ servername: "x", ciphers: "" })), TypeError, "no option");
    assertThrows(() => connectTls(given, { servername: "x", alpn: [] }), TypeError, "alpn");
    assertThrows(() => connectTls(given, { servername: "x", ca: Object(5) }), TypeError, "ca is 5");
    assertThrows(() => connectTls(given, { servername: "x", key }), TypeError, "together");
    assertThrows(() => acceptTls(given, Object({ key })), TypeError, "cert");
    assertThrows(() => acceptTls(given, Object({ key, cert, requestCert: true })), TypeError, "no option");
    assertThrows(() => acceptTls(given, { key: "no key", cert }), TypeError, "key is no PEM");
    for (const nothing of [Object(null), Object({ read: () => {} })]) {
      assertThrows(() => connectTls(nothing, trusting), TypeError, "stream does not read and write");
      assertThrows(() => acceptTls(nothing, identity), TypeError, "stream does not read and write");
    }
  });

  it("disposes of the stream where the host refuses the key", { skip: unlessStrict }, () =>
    run(async () => {
      using listener = TcpListener.bind(local);
      const tcp = await TcpStream.connect(listener.address);
      const unreadable = { ...trusting, key: "-----BEGIN PRIVATE KEY-----\n", cert };
      await assertRejects(() => connectTls(tcp, unreadable).toPromise(), Error);
      assert(tcp.isClosed, "the stream was taken over");
    }));
});
