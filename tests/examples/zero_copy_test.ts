import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { moduleUrl, outputOf } from "../child.ts";

describe("examples/zero_copy.ts", () => {
  it("reads what was evicted, and gives the memory back with the last yoke", () => {
    assertEquals(outputOf(`import "${moduleUrl("examples/zero_copy.ts")}";`).split("\n"), [
      "mapped, nothing read: 0 MiB resident",
      "embeddings adds up to 4194304: 64 MiB resident",
      "evicted, embeddings still adds up to 4194304: 64 MiB resident",
      "the last yoke is gone, and its view has 0 elements: 0 MiB resident",
    ]);
  });
});
