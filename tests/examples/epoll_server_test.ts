import { type ChildProcess, spawn } from "node:child_process";
import { Buffer } from "node:buffer";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { assertEquals } from "@std/assert";
import { hostName } from "../../ffi/mod.ts";
import { EPOLLIN, EPOLLOUT, NativeBuffer, Socket, WouldBlock } from "../../lib/io/mod.ts";
import { moduleUrl } from "../child.ts";
import { readAll, ready } from "../io/pair.ts";

describe("examples/epoll_server.ts", () => {
  let server: ChildProcess;
  let port: number;

  before(async () => {
    const args = hostName === "deno" ? ["run", "-A", "--no-lock"] : [];
    server = spawn(process.execPath, [...args, fileURLToPath(moduleUrl("examples/epoll_server.ts"))], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const { stdout } = server;
    if (stdout === null) throw new Error("the server has no output");
    const line = await new Promise<string>((resolve, reject) => {
      stdout.once("data", (data) => resolve(String(data)));
      server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    });
    port = Number(/^echoing on 127\.0\.0\.1:(\d+)\n$/.exec(line)?.[1]);
  });

  after(async () => {
    const exit = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGKILL");
    await exit;
  });

  function connect(): Socket {
    const socket = Socket.connect({ hostname: "127.0.0.1", port });
    ready(socket, EPOLLOUT);
    return socket;
  }

  /** What comes back for what is sent; both at once, for the server holds 4 KiB and the kernel some more. */
  function echo(socket: Socket, bytes: Uint8Array): Uint8Array {
    const out = new NativeBuffer(bytes.length);
    out.bytes.set(bytes);
    const back = new NativeBuffer(bytes.length);
    let [sent, got] = [0, 0];
    while (got < bytes.length) {
      const wrote = sent < bytes.length ? socket.write(out, sent) : WouldBlock;
      if (wrote !== WouldBlock) sent += wrote;
      const read = socket.read(back, got);
      if (read === 0) throw new Error("the server has hung up");
      if (read !== WouldBlock) got += read;
      if (read === WouldBlock && wrote === WouldBlock) {
        ready(socket, sent < bytes.length ? EPOLLIN | EPOLLOUT : EPOLLIN);
      }
    }
    return back.bytes;
  }

  it("echoes what it is sent, to thirty peers at once", () => {
    const peers = Array.from({ length: 30 }, connect);
    for (let round = 0; round < 3; round++) {
      const texts = peers.map((_, i) => new TextEncoder().encode(`round ${round} of ${i}`));
      for (const [i, peer] of peers.entries()) peer.fd.write(texts[i]);
      for (const [i, peer] of peers.entries()) {
        assertEquals([...readAll(peer, new NativeBuffer(64), texts[i].length)], [...texts[i]]);
      }
    }
    for (const peer of peers) peer[Symbol.dispose]();
  });

  it("echoes more than the kernel holds, and loses nothing", () => {
    using peer = connect();
    const bytes = Uint8Array.from({ length: 3 << 20 }, (_, i) => i * 31 >> 3);
    assertEquals(Buffer.compare(echo(peer, bytes), bytes), 0);
  });

  it("goes on after peers that reset, that stop reading, and that send nothing", () => {
    using silent = connect();
    using deaf = connect();
    const chunk = new NativeBuffer(1 << 16);
    for (let quiet = 0; quiet < 3;) {
      if (deaf.write(chunk) !== WouldBlock) quiet = 0;
      else if (++quiet < 3) echo(silent, Uint8Array.of(1));
    }
    for (let i = 0; i < 20; i++) {
      const peer = connect();
      peer.write(chunk);
      peer.setLinger(0);
      peer.fd.close();
    }
    assertEquals([...echo(silent, Uint8Array.of(1, 2, 3))], [1, 2, 3]);
  });

  it("hangs up when the peer does, after the rest", () => {
    using peer = connect();
    peer.fd.write(Uint8Array.of(7));
    peer.shutdown("write");
    assertEquals([...readAll(peer, new NativeBuffer(8), 8)], [7]);
  });
});
