import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Assembler } from "../../lib/jit/assembler.ts";

describe("the layout of jumps", () => {
  it("leaves a jump short whose label has yet to move, behind more jumps that grow than it reaches", () => {
    const GROWING = 60;
    const a = new Assembler();
    const [far, near] = [a.label("far"), a.label("near")];
    for (let i = 0; i < GROWING; i++) a.jz(far);
    a.jmp(near);
    a.align(16);
    a.bind(near);
    a.data(new Uint8Array(1_000));
    a.bind(far);
    const { text } = a.finish();
    // Six bytes for each that has grown.
    assertEquals([...text.subarray(0, 2)], [0x0f, 0x84]);
    assertEquals([...text.subarray(6 * GROWING, 6 * GROWING + 2)], [0xeb, -(6 * GROWING + 2) & 15]);
  });
});
