/** Maps where the process may not have what they need, each in a process of its own. */
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { listenFirst, moduleUrl, outputOf, runChild } from "../child.ts";
import { skipping } from "../skip.ts";
import { tiered } from "../tier.ts";
import { TOOLS } from "./scratch.ts";

const GIB = 2 ** 30;
const TELL = `
  function tell(call) {
    try {
      return String(call());
    } catch ({ name, code, message }) {
      return [name, code, message.split("; ").slice(1).join("; ").replaceAll(/[0-9]+/g, "N")].join(": ");
    }
  }
  const path = file(0);
`;
const NO_ADDRESSES = "SystemError: ENOMEM: the process may not have so many addresses, or so much memory " +
  "(ulimit -v and -d, vm.overcommit_memory); map a part of it";

/** Another user namespace's root may lock no more than others. */
const UNPRIVILEGED = `[ "$OXBOW_UNSHARED" ] || OXBOW_UNSHARED=1 exec unshare -r sh "$0"\nulimit -l 64`;
const withoutNamespace = skipping(
  runChild("", { before: `set -e\n${UNPRIVILEGED}` }).code !== 0 &&
    "locked memory is limited in a namespace of users",
);

function told(source: string, before: string): string[] {
  return outputOf(TOOLS + TELL + source, { before }).split("\n");
}

describe("a process", () => {
  it("that may have few addresses is told so, and maps a part", () => {
    const source = `
      fs.truncateSync(path, ${512 * GIB});
      for (const mode of ["r", "r+", "c"]) console.log(tell(() => Mmap.open(path, { mode }).byteLength));
      console.log(tell(() => Mmap.anonymous(${512 * GIB}).byteLength));
      using map = Mmap.open(path, { offset: ${511 * GIB}, length: 100 });
      console.log(tell(() => map.remap(${256 * GIB})), tell(() => map.remap(${GIB})));
      console.log(map.byteLength, map.bytes(${GIB - 5}).length);`;
    assertEquals(
      told(source, `ulimit -v ${256 * 2 ** 20}`),
      [
        NO_ADDRESSES,
        NO_ADDRESSES,
        NO_ADDRESSES,
        NO_ADDRESSES,
        "RangeError: :  undefined",
        "1073741824 5",
      ],
    );
  });

  it("that may have little memory of its own maps what it only reads, where the CPU refuses to write", () => {
    const source = `
      fs.truncateSync(path, ${64 * GIB});
      fs.writeFileSync(path, "mapped", { flag: "r+" });
      const map = Mmap.open(path);
      console.log(map.isEnforced, map.guarded, map.bytes(0, 6).length, map.bytes(1, 1)[0]);
      const small = Mmap.open(path, { length: 10 });
      console.log(small.isEnforced);
      const shared = Mmap.open(path, { mode: "r+" });
      shared.bytes(0, 1)[0] = 9;
      console.log(shared.isEnforced, map.bytes(0, 1)[0]);
      console.log(tell(() => Mmap.open(path, { mode: "c" })));
      const kept = new Uint8Array(shared.bytes(0, 1 << 20).buffer.transfer());
      console.log(tell(() => map[Symbol.dispose]()), tell(() => small[Symbol.dispose]()));
      console.log(tell(() => shared[Symbol.dispose]()).split(":")[0], kept[0], isMapped(path));
      kept[5] = 1;`;
    const expected = [
      ...["true true 6 97", "false", "false 9", NO_ADDRESSES],
      ...["undefined undefined", "MapTransferredError 0 false"],
    ];
    assertEquals(told(source, `ulimit -d ${16 * 2 ** 20}`), expected);
  });

  it("that may open few files is told so, and goes on when some are closed", () => {
    const source = `
      fs.writeFileSync(path, "x");
      using first = Mmap.open(path);
      first.bytes();
      using memory = Mmap.anonymous(10);
      const opened = [];
      tell(() => {
        for (;;) opened.push(fs.openSync(path));
      });
      console.log(tell(() => Mmap.open(path)));
      console.log(tell(() => Mmap.anonymous(10)));
      console.log(tell(() => first.share()));
      console.log(tell(() => memory.share()));
      console.log(first.bytes()[0]);
      for (const fd of opened) fs.closeSync(fd);
      console.log(tell(() => Mmap.open(path).byteLength), tell(() => Mmap.anonymous(10).byteLength));
      console.log(tell(() => Mmap.adopt(first.share()).byteLength), tell(() => Mmap.adopt(memory.share()).byteLength));`;
    const hint = "ulimit -n says how many descriptors this process may have; dispose maps that are done";
    assertEquals(told(listenFirst + source, "ulimit -n 100"), [
      "SystemError: EMFILE: ",
      `SystemError: EMFILE: ${hint}`,
      "SystemError: EMFILE: ",
      "SystemError: EMFILE: ",
      "120",
      "1 10",
      "1 10",
    ]);
  });

  it("that may make small files is told so, and not ended by a signal", () => {
    const source = `
      const other = join(folder, "other.bin");
      console.log(tell(() => Mmap.open(other, { mode: "w+", length: 2 ** 26 })));
      console.log(tell(() => Mmap.open(path, { mode: "a+", length: 2 ** 26 })));
      console.log(tell(() => Mmap.anonymous(2 ** 26)));
      using map = Mmap.open(path, { mode: "r+" });
      console.log(tell(() => map.remap(2 ** 26)));
      map.remap(1000);
      map.bytes().fill(1);
      console.log(map.bytes().length, fs.statSync(path).size);`;
    const refused =
      "SystemError: EFBIG: ulimit -f lets this process make files of N bytes, and this one would have N";
    assertEquals(told(source, "ulimit -f 65536"), [refused, refused, refused, refused, "1000 1000"]);
  });

  it("that may lock little memory is told so", { skip: withoutNamespace }, () => {
    const source = `
      using map = Mmap.anonymous(2 ** 20);
      console.log(tell(() => map.lock()));
      using small = Mmap.anonymous(4096);
      console.log(tell(() => small.lock()), map.bytes().length);`;
    assertEquals(told(source, UNPRIVILEGED), [
      "SystemError: ENOMEM: ulimit -l says how much this process may lock, and the map has N bytes",
      "undefined 1048576",
    ]);
  });
});

describe("many cycles", () => {
  it("of every kind of map give all of it back", () => {
    const rounds = tiered({ quick: 30, full: 2_000, soak: 100_000 });
    const source = `
      fs.writeFileSync(path, new Uint8Array(1 << 20).fill(7));
      let wrong = 0;
      function cycle(i) {
        using read = Mmap.open(path, { offset: i });
        using written = Mmap.open(path, { mode: "r+", length: 100_000 });
        using copy = Mmap.open(path, { mode: "c" });
        using memory = Mmap.memfd("cycle", 10_000, { seals: ["shrink"] });
        using other = Mmap.adopt((i % 2 === 0 ? read : memory).share());
        copy.bytes()[0] = i;
        memory.remap(20_000);
        memory.bytes()[19_999] = i;
        wrong += read.bytes()[0] !== 7 || written.bytes()[5] !== 7 || other.byteLength === 0 ? 1 : 0;
        wrong += memory.bytes()[19_999] !== (i & 255) ? 1 : 0;
      }
      import { descriptors as all } from "${moduleUrl("tests/descriptors.ts")}";
      function measured() {
        const status = fs.readFileSync("/proc/self/status", "latin1");
        return [
          Number(/^VmRSS:\\s+(\\d+)/m.exec(status)[1]) / 1024,
          fs.readFileSync("/proc/self/maps", "latin1").split("\\n").length,
          all().size,
        ];
      }
      async function run(rounds) {
        for (let round = 0; round < rounds; round++) {
          for (let i = 0; i < 50; i++) cycle(i);
          // The collector's news come between turns.
          await sleep(0);
        }
        await collect();
        return measured();
      }
      const before = await run(20);
      const after = await run(${rounds});
      const grown = after.map((value, i) => value - before[i]);
      console.log(wrong, grown[0] < 128, grown[1] < 1500, grown[2] < 20);`;
    assertEquals(told(source, ":"), ["0 true true true"]);
  });
});
