import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fd } from "../../../lib/io/mod.ts";
import { FileResponse, UpgradeResponse } from "../../../lib/net/http.ts";
import { TcpStream } from "../../../lib/net/mod.ts";
import { sleep } from "../../../lib/task/mod.ts";
import {
  encoder,
  exchange,
  GET,
  hello,
  HUNDRED_TURNS,
  LAST_GET,
  passTurns,
  readAll,
  serving,
  statusOf,
} from "./client.ts";

/** A file with these bytes, for as long as `body` runs. */
async function withFile(bytes: Uint8Array, body: (fd: Fd, path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-http-"));
  try {
    const path = join(folder, "file");
    writeFileSync(path, bytes);
    using fd = Fd.open(path);
    await body(fd, path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const LETTERS = encoder.encode("abcdefghijklmnopqrstuvwxyz");

describe("FileResponse", () => {
  it("sends the part of the file with its length, and releases it once", () =>
    withFile(LETTERS, (fd) => {
      let released = 0;
      return serving(
        () => new FileResponse({ fd, offset: 2, length: 5, released: () => released++ }),
        {},
        async (server) => {
          const answer = await exchange(server, GET + LAST_GET);
          assertEquals(answer.match(/\r\n\r\ncdefg/g)?.length, 2);
          assertStringIncludes(answer, "\r\ncontent-length: 5\r\n");
          assertEquals(released, 2);
        },
      );
    }));

  it("sends only the head for HEAD, with status and headers as given, and releases the file", () =>
    withFile(LETTERS, (fd) => {
      let released = 0;
      return serving(
        () => {
          const init = { status: 206, headers: { "content-range": "bytes 0-25/26" } };
          return new FileResponse({ fd, length: 26, released: () => released++ }, init);
        },
        {},
        async (server) => {
          const answer = await exchange(server, LAST_GET.replace("GET", "HEAD"));
          assertEquals(statusOf(answer), 206);
          assertStringIncludes(answer, "\r\ncontent-range: bytes 0-25/26\r\n");
          assertStringIncludes(answer, "\r\ncontent-length: 26\r\n");
          assert(answer.endsWith("\r\n\r\n"));
          assertEquals(released, 1);
        },
      );
    }));

  it("sends a file of many megabytes whole to a client that reads late, and goes on with the connection", () => {
    const bytes = new Uint8Array(20 << 20).fill(97);
    return withFile(bytes, (fd) =>
      serving(
        (request) => request.url.endsWith("/") ? new FileResponse({ fd, length: bytes.length }) : hello(),
        {},
        async (server) => {
          using stream = await TcpStream.connect(server.address);
          await stream.writeAll(encoder.encode(GET + LAST_GET.replace("/", "/next")));
          await sleep(50);
          const answer = await readAll(stream);
          assert(answer.endsWith("\r\n\r\nhello"));
          const start = answer.indexOf("\r\n\r\n") + 4;
          assertEquals(answer.slice(start, start + bytes.length), "a".repeat(bytes.length));
          assertEquals(statusOf(answer.slice(start + bytes.length)), 200);
        },
      ));
  });

  it("cuts the connection where the file is shorter than was said, and says so to onError", () =>
    withFile(LETTERS, async (fd, path) => {
      const errors: unknown[] = [];
      let released = 0;
      truncateSync(path, 3);
      await serving(
        () => new FileResponse({ fd, length: 26, released: () => released++ }),
        {
          onError: (error) => {
            errors.push(error);
            return hello();
          },
        },
        async (server) => {
          const answer = await exchange(server, GET);
          assert(answer.endsWith("\r\n\r\nabc"));
          assertEquals(errors.map(String), ["Error: a response's file ended 23 bytes before its length"]);
          assertEquals(released, 1);
        },
      );
    }));

  it("releases the file where the client goes away in the middle", () =>
    withFile(new Uint8Array(20 << 20), async (fd) => {
      const released = Promise.withResolvers<void>();
      await serving(
        () => new FileResponse({ fd, length: 20 << 20, released: released.resolve }),
        {},
        async (server) => {
          {
            using stream = await TcpStream.connect(server.address);
            await stream.writeAll(encoder.encode(GET));
            assert(await stream.read(new Uint8Array(10)) > 0);
          }
          await released.promise;
        },
      );
    }));

  it("has its body for whoever asks for it before the server does, and releases the file once all the same", () => {
    const middleware: Record<string, (file: FileResponse) => Promise<Response> | Response> = {
      "/wrapped": (file) => new Response(file.body, file),
      "/piped": (file) => new Response(file.body?.pipeThrough(new TransformStream()), file),
      "/looked": (file) => file.body === null ? hello() : file,
      "/cloned": async (file) =>
        new Response(await file.clone().text() === "cdefg" ? file.body : "wrong", file),
      "/text": async (file) => new Response(await file.text()),
      "/bytes": async (file) => new Response(await file.arrayBuffer()),
    };
    return withFile(LETTERS, (fd) => {
      let released = 0;
      return serving(
        (request) => {
          const file = new FileResponse({ fd, offset: 2, length: 5, released: () => released++ });
          return middleware[new URL(request.url).pathname](file);
        },
        {},
        async (server) => {
          for (const path of Object.keys(middleware)) {
            released = 0;
            const answer = await exchange(server, LAST_GET.replace("/", path));
            assertEquals([path, answer.slice(answer.indexOf("\r\n\r\n") + 4)], [path, "cdefg"]);
            assertStringIncludes(answer, "\r\ncontent-length: 5\r\n");
            assertEquals([path, released], [path, 1]);
            released = 0;
            const head = await exchange(server, LAST_GET.replace("GET /", `HEAD ${path}`));
            assert(head.endsWith("\r\n\r\n"));
            assertEquals([path, released], [path, 1]);
          }
        },
      );
    });
  });

  it("is refused where its body was read before, and is empty for all where its status has none", () =>
    withFile(LETTERS, (fd) => {
      let released = 0;
      const release = (): number => released++;
      const errors: unknown[] = [];
      return serving(
        async (request) => {
          if (request.url.endsWith("/304")) {
            const file = new FileResponse({ fd, length: 5, released: release }, { status: 304 });
            return new Response(file.body, file);
          }
          const file = new FileResponse({ fd, length: 5, released: release });
          await file.text();
          return file;
        },
        {
          onError: (error) => {
            errors.push(error);
            return new Response(null, { status: 500 });
          },
        },
        async (server) => {
          assertEquals(statusOf(await exchange(server, LAST_GET)), 500);
          assertStringIncludes(String(errors), "was sent or read before");
          assertEquals(statusOf(await exchange(server, LAST_GET.replace("/", "/304"))), 304);
          assertEquals(released, 2);
        },
      );
    }));

  it("is answered with once, and its connection ends, where its release throws", () => {
    const { error } = console;
    const told: unknown[] = [];
    console.error = (failure: unknown) => told.push(failure);
    return withFile(new Uint8Array(20 << 20), (fd) =>
      serving(
        (request) => {
          const released = (): void => {
            throw new Error(request.method);
          };
          return new FileResponse({ fd, length: 20 << 20, released });
        },
        {},
        async (server) => {
          const head = await exchange(server, LAST_GET.replace("GET", "HEAD"));
          assertEquals(head.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200"]);
          {
            using stream = await TcpStream.connect(server.address);
            await stream.writeAll(encoder.encode(GET));
            await stream.read(new Uint8Array(100));
          }
          // Would wait for ever for a connection that is not forgotten.
          await server.shutdown({ deadline: 1_000_000 });
          assertEquals(told.map(String), ["Error: HEAD", "Error: GET"]);
        },
      )).finally(() => console.error = error);
  });

  it("refuses lengths that are none", () => {
    using fd = Fd.open(new URL(import.meta.url));
    assertThrows(() => new FileResponse({ fd, length: -1 }), RangeError, "length");
    assertThrows(() => new FileResponse({ fd, length: 1, offset: 0.5 }), RangeError, "offset");
  });
});

const UPGRADE = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

async function echo(stream: TcpStream, received: Uint8Array): Promise<void> {
  using _ = stream;
  await stream.writeAll(received);
  const bytes = new Uint8Array(1000);
  for (;;) {
    const count = await stream.read(bytes);
    if (count === 0) return;
    await stream.writeAll(bytes.slice(0, count));
  }
}

describe("UpgradeResponse", () => {
  it("answers 101 and hands over the connection, with what came beyond the request", () =>
    serving(
      () => new UpgradeResponse(echo, { upgrade: "echo", "sec-thing": "1" }),
      { timeouts: { idle: HUNDRED_TURNS, head: HUNDRED_TURNS, body: HUNDRED_TURNS, write: HUNDRED_TURNS } },
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(`${UPGRADE}early`));
        const first = new Uint8Array(1000);
        const count = await stream.read(first);
        passTurns(server, 110);
        await stream.writeAll(encoder.encode(", late"));
        stream.socket.shutdown("write");
        const answer = new TextDecoder().decode(first.subarray(0, count)) + await readAll(stream);
        assert(answer.startsWith("HTTP/1.1 101 Switching Protocols\r\n"));
        assertStringIncludes(answer, "\r\nupgrade: echo\r\n");
        assertStringIncludes(answer, "\r\nsec-thing: 1\r\n");
        assertStringIncludes(answer, "\r\nconnection: upgrade\r\n");
        assert(!/content-length|transfer-encoding/.test(answer));
        assert(answer.endsWith("\r\n\r\nearly, late"));
      },
    ));

  it("is told of a shutdown, and cut at its deadline", () => {
    const told = Promise.withResolvers<unknown>();
    return serving(
      () =>
        new UpgradeResponse((_, __, closing) => {
          closing.addEventListener("abort", () => told.resolve(closing.reason));
        }, { upgrade: "echo" }),
      {},
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(UPGRADE));
        assert(await stream.read(new Uint8Array(1000)) > 0);
        const finished = server.shutdown({ deadline: 30 });
        assert(await told.promise instanceof DOMException);
        assertEquals(await readAll(stream), "");
        await finished;
      },
    );
  });

  it("is left alone by a shutdown until its deadline, however often the server looks", () =>
    serving(
      () => new UpgradeResponse(echo, { upgrade: "echo" }),
      { timeouts: { idle: HUNDRED_TURNS } },
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(UPGRADE));
        assert(await stream.read(new Uint8Array(1000)) > 0);
        const finished = server.shutdown({ deadline: 100_000 });
        passTurns(server, 110);
        await stream.writeAll(encoder.encode("still"));
        await stream.readExact(new Uint8Array(5));
        await stream.shutdown("write");
        assertEquals(await readAll(stream), "");
        await finished;
      },
    ));

  it("lets a shutdown end as soon as the one who took the connection over has closed it", () =>
    serving(
      () =>
        new UpgradeResponse((stream, _, closing) => {
          closing.addEventListener("abort", () => stream.close());
        }, { upgrade: "echo" }),
      {},
      async (server) => {
        using stream = await TcpStream.connect(server.address);
        await stream.writeAll(encoder.encode(UPGRADE));
        assert(await stream.read(new Uint8Array(1000)) > 0);
        await server.shutdown({ deadline: 100_000 });
        assertEquals(await readAll(stream), "");
      },
    ));

  it("closes the connection where onUpgrade throws, and says so to onError", async () => {
    const errors: unknown[] = [];
    await serving(
      () =>
        new UpgradeResponse(() => {
          throw new Error("no");
        }, { upgrade: "echo" }),
      {
        onError: (error) => {
          errors.push(error);
          return hello();
        },
      },
      async (server) => {
        const answer = await exchange(server, UPGRADE);
        assertEquals(statusOf(answer), 101);
        assert(answer.endsWith("\r\n\r\n"));
      },
    );
    assertEquals(errors.map(String), ["Error: no"]);
  });

  it("refuses to upgrade after a request with a body, or of HTTP/1.0", () =>
    serving(() => new UpgradeResponse(echo, { upgrade: "echo" }), {}, async (server) => {
      const withBody = UPGRADE.replace("GET", "POST").replace("\r\n\r\n", "\r\nContent-Length: 3\r\n\r\nabc");
      assertEquals(statusOf(await exchange(server, withBody)), 400);
      assertEquals(statusOf(await exchange(server, UPGRADE.replace("1.1", "1.0"))), 400);
    }));

  it("counts a connection that was taken over and closed against maxConnections no more", () =>
    serving(
      (request) => {
        if (request.method === "HEAD") {
          return new UpgradeResponse((stream) => stream.close(), {
            upgrade: "none",
          });
        }
        return hello();
      },
      { maxConnections: 4 },
      async (server) => {
        for (let i = 0; i < 100; i++) await exchange(server, UPGRADE.replace("GET", "HEAD"));
        assertEquals(statusOf(await exchange(server, LAST_GET)), 200);
      },
    ));
});
