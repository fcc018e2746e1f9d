import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { BufReader } from "../../lib/net/async_io.ts";
import { TcpStream } from "../../lib/net/mod.ts";
import { run } from "../../lib/task/mod.ts";
import { Peer, serveExample } from "./program.ts";

const PATH = "examples/net/chat.ts";

async function guest(port: number, name: string): Promise<Peer> {
  const peer = new Peer(port);
  await peer.hears("* What is your name?\n");
  peer.say(`${name}\n`);
  return peer;
}

/** How often the text was heard. */
function times(peer: Peer, text: string): number {
  return peer.text.split(text).length - 1;
}

describe(PATH, () => {
  it("has everybody hear what the others say, and who comes and goes", async () => {
    await using server = await serveExample(PATH);
    using ada = await guest(server.port, "Ada");
    // She has a part in the room only once her name was read.
    ada.say("anybody?\n");
    using ben = await guest(server.port, "Ben");
    await ada.hears("* Ben has come.\n");
    using cem = await guest(server.port, "Cem");
    for (const peer of [ada, ben]) await peer.hears("* Cem has come.\n");
    ben.say("hello\r\nagain, ");
    ben.say("ünïcode\n");
    for (const peer of [ada, cem]) await peer.hears("Ben: hello\nBen: again, ünïcode\n");
    cem.socket.end("bye");
    for (const peer of [ada, ben]) await peer.hears("Cem: bye\n* Cem has gone.\n");
    await cem.closed;
    assertEquals(times(ben, "Ben: "), 0);
  });

  it("asks again for a name that is none, and turns out who sends too long a line", async () => {
    await using server = await serveExample(PATH);
    using ada = await guest(server.port, "a b");
    await ada.hears("* Letters and digits, please.\n* What is your name?\n");
    ada.say("Ada\n");
    using ben = await guest(server.port, "Ben");
    await ada.hears("* Ben has come.\n");
    ben.say("x".repeat(3000));
    await ada.hears("* Ben has gone.\n");
    await ben.closed;
  });

  it("lets nobody wait for one who does not read", async () => {
    await using server = await serveExample(PATH);
    using deaf = await guest(server.port, "Deaf");
    using ada = await guest(server.port, "Ada");
    using ben = await guest(server.port, "Ben");
    await ada.hears("* Ben has come.\n");
    deaf.socket.pause();
    const lines = 300;
    for (let i = 0; i < lines; i++) {
      ada.say(`${i} ${"x".repeat(1900)}\n`);
      if (i % 20 === 19) await ben.hears(`Ada: ${i} x`);
    }
    assertEquals(times(ben, "Ada: "), lines);
  });

  it("speaks with our own client, and says goodbye on SIGINT", async () => {
    await using server = await serveExample(PATH);
    const heard = await run(async () => {
      using stream = await TcpStream.connect({ hostname: "127.0.0.1", port: server.port });
      const reader = new BufReader(stream);
      await reader.readLine();
      await stream.writeAll(new TextEncoder().encode("Ada\n"));
      using ben = await guest(server.port, "Ben");
      const lines = [await reader.readLine()];
      ben.say("hi\n");
      lines.push(await reader.readLine());
      const ended = server.end();
      for await (const line of reader.lines()) lines.push(line);
      assertEquals(await ended, {
        code: 0,
        stdout: lines.length > 0 ? (await ended).stdout : "",
        stderr: "",
      });
      return lines;
    });
    assertEquals(heard.slice(0, 3), ["* Ben has come.", "Ben: hi", "* Goodbye."]);
  });
});
