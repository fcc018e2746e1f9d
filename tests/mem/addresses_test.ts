/**
 * A host's call that has kept the address of a map's bytes, and neither their memory nor anything that a count would
 * see, reaches no other map when that one was disposed.
 */
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { outputOf } from "../child.ts";
import { TOOLS } from "./scratch.ts";

const NET = `${TOOLS}
  import net from "node:net";
  import { once } from "node:events";
  const LENGTH = 1 << 23;
  const [A, B] = [65, 66];
  // What a host says of a write or a read that it could not end is its own.
  process.on("uncaughtException", () => {});
  function filled(byte) {
    const map = Mmap.anonymous(LENGTH);
    map.bytes().fill(byte);
    return map;
  }
  function dispose(map) {
    try {
      map[Symbol.dispose]();
    } catch (error) {
      if (error.name !== "MapTransferredError") throw error;
    }
  }
  const closed = (end) => Promise.race([new Promise((resolve) => end.once("close", resolve)), sleep(5000)]);
  async function connected(onPeer, options) {
    const server = net.createServer((peer) => {
      peer.on("error", () => {});
      onPeer(peer);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = net.connect({ host: "127.0.0.1", port: server.address().port, ...options });
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  }
`;

describe("an address that a host has kept", () => {
  it("is no other map's where a socket still writes from it", () => {
    const source = `${NET}
      const { promise: peers, resolve: accepted } = Promise.withResolvers();
      const socket = await connected((peer) => accepted(peer.pause()));
      const peer = await peers;
      const map = filled(A);
      socket.write(map.bytes());
      dispose(map);
      const others = Array.from({ length: 8 }, () => filled(B));
      let [count, leaked] = [0, 0];
      peer.on("data", (bytes) => {
        count += bytes.length;
        for (const byte of bytes) if (byte === B) leaked++;
      });
      peer.resume();
      socket.end();
      await closed(peer);
      console.log(count > 0, leaked, others.every((other) => other.bytes().every((byte) => byte === B)));
      process.exit(0);
    `;
    assertEquals(outputOf(source), "true 0 true");
  });

  it("is no other map's where a socket still reads into it", () => {
    const source = `${NET}
      const map = filled(A);
      let [first, count] = [Promise.withResolvers(), 0];
      const onread = { buffer: map.bytes(), callback: (length) => {
        count += length;
        first.resolve();
        return true;
      } };
      const socket = await connected((peer) => {
        peer.write("first");
        peer.once("data", () => peer.end(new Uint8Array(1 << 20).fill(88)));
      }, { onread });
      await first.promise;
      dispose(map);
      const others = Array.from({ length: 8 }, () => filled(B));
      socket.write("more");
      await closed(socket);
      console.log(count > 0, others.every((other) => other.bytes().every((byte) => byte === B)));
      process.exit(0);
    `;
    assertEquals(outputOf(source), "true true");
  });
});
