/**
 * Sends so many bytes to a port, and takes what comes to a port of its own, which it prints: `PORT BYTES`.
 *
 * @module
 */
import { connect, createServer } from "node:net";
import process from "node:process";

const [port, byteLength] = process.argv.slice(2).map(Number);
const piece = new Uint8Array(1 << 18);

const server = createServer((socket) => {
  socket.on("data", () => {});
  socket.on("error", () => {});
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  console.log(address.port);
  const socket = connect(port, "127.0.0.1");
  let left = byteLength;
  function send(): void {
    while (left > 0) {
      const part = piece.subarray(0, Math.min(left, piece.byteLength));
      left -= part.byteLength;
      if (!socket.write(part)) {
        socket.once("drain", send);
        return;
      }
    }
    socket.end();
  }
  socket.on("connect", send);
  socket.on("error", () => {});
});
