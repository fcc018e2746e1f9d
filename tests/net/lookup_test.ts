import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { hostName } from "../../ffi/mod.ts";
import { lookup, LookupError } from "../../lib/net/mod.ts";
import { run, sleep, spawn } from "../../lib/task/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";

const noDeno = skipping(hostName === "deno" ? false : "this host has no permissions to be asked");

describe("lookup", () => {
  it("tells an address itself, and this machine, asking nobody", async () => {
    await run(async () => {
      assertEquals(await lookup("192.0.2.7"), [{ hostname: "192.0.2.7", family: 4 }]);
      assertEquals(await lookup("2001:db8::7", { family: 6 }), [{ hostname: "2001:db8::7", family: 6 }]);
      const [four, six] = await lookup("localhost");
      assertEquals([four, six], [{ hostname: "127.0.0.1", family: 4 }, { hostname: "::1", family: 6 }]);
      assertEquals(await lookup("LOCALHOST", { family: 6 }), [six]);
      await assertRejects(() => lookup("192.0.2.7", { family: 6 }), LookupError, '"192.0.2.7": ENOTFOUND');
    });
  });

  it("asks the host's resolver while other tasks go on, and tells of a name that there is not", async () => {
    await run(async () => {
      let ticks = 0;
      const other = spawn(async () => {
        for (;;) {
          await sleep(1);
          ticks++;
        }
      });
      const error = await assertRejects(() => lookup("no.such.name.invalid"), LookupError);
      assertEquals([error.hostname, error.name], ["no.such.name.invalid", "LookupError"]);
      assert(["ENOTFOUND", "EAI_AGAIN"].includes(error.code), error.code);
      await sleep(3);
      assert(ticks > 0);
      other.abort();
    });
  });

  it("works in the host's loop, where no runtime runs", async () => {
    await assertRejects(() => lookup("no.such.name.invalid"), LookupError);
  });

  it("is given up where its signal is aborted", async () => {
    await run(async () => {
      const signal = AbortSignal.abort(new RangeError("enough"));
      await assertRejects(() => lookup("no.such.name.invalid", { signal }), RangeError, "enough");
    });
  });

  it("refuses what is no name, and options that are none", () => {
    const call = (...given: unknown[]): unknown => Reflect.apply(lookup, undefined, given);
    assertThrows(() => call(5), TypeError, "hostname is no string");
    assertThrows(() => call(""), TypeError, "hostname is empty");
    assertThrows(() => call("a", { family: 5 }), RangeError, "family is 5");
    assertThrows(() => call("a", { familly: 4 }), TypeError, 'no option "familly"');
    assertThrows(() => call("a", { signal: 4 }), TypeError, "signal is no AbortSignal");
  });
});

describe("Deno's permission to use the net", { skip: noDeno }, () => {
  const permissions = (...net: string[]) => ["--allow-ffi", "--allow-read", "--allow-env", ...net];
  const source = (body: string) => `
    import { run } from "${moduleUrl("lib/task/mod.ts")}";
    import { lookup, TcpListener, TcpStream, UdpSocket } from "${moduleUrl("lib/net/mod.ts")}";
    async function told(call) {
      try {
        return await call();
      } catch (error) {
        return error.name + ": " + error.message.split(",")[0];
      }
    }
    await run(async () => { ${body} });
  `;

  it("is asked for the name alone, whose addresses need none of their own", () => {
    const body = `
      using listener = TcpListener.bind({ hostname: "localhost", port: 0 });
      using client = await TcpStream.connect({ hostname: "localhost", port: listener.address.port });
      console.log(client.remoteAddress.hostname);
      console.log(await told(() => TcpStream.connect(listener.address)) );
    `;
    const printed = outputOf(source(body), { permissions: permissions("--allow-net=localhost") }).split("\n");
    assertEquals(printed[0], "127.0.0.1");
    assert(printed[1].startsWith('NotCapable: Requires net access to "127.0.0.1:'), printed[1]);
  });

  it("is asked before a name is looked up, connected to and listened on", () => {
    const body = `
      console.log(await told(() => lookup("no.such.name.invalid")));
      console.log(await told(() => TcpStream.connect({ hostname: "localhost", port: 7 })));
      console.log(await told(() => TcpListener.bind({ hostname: "localhost", port: 7 })));
      console.log(await told(() => TcpListener.bindName({ hostname: "localhost", port: 7 })));
      console.log(await told(() => UdpSocket.bind({ hostname: "localhost", port: 7 })));
      console.log(await told(() => UdpSocket.bindName({ hostname: "localhost", port: 7 })));
    `;
    const printed = outputOf(source(body), { permissions: permissions("--allow-net=example.com") }).split(
      "\n",
    );
    const sentence = (host: string) => `NotCapable: Requires net access to "${host}"`;
    assertEquals(printed, [
      sentence("no.such.name.invalid"),
      ...Array.from({ length: 5 }, () => sentence("localhost:7")),
    ]);
  });

  it("refuses an address that is denied, by whatever name it is asked for", () => {
    const body = `console.log(await told(() => TcpListener.bind({ hostname: "localhost", port: 0 })));`;
    const given = permissions("--allow-net", "--deny-net=127.0.0.1");
    assertEquals(
      outputOf(source(body), { permissions: given }),
      'NotCapable: Requires net access to "127.0.0.1:0"',
    );
  });
});
