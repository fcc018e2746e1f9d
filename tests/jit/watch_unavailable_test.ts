import { describe, it } from "node:test";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { assertEquals } from "@std/assert";
import { hostName } from "../../ffi/mod.ts";
import { moduleUrl, outputOf } from "../child.ts";
import { skipping } from "../skip.ts";

const onOthers = skipping(hostName !== "node" && "Node alone may refuse addons and allow C");

describe("where no addon may be loaded", () => {
  it("Watch says that it is not available, and what to do", { skip: onOthers }, () => {
    const source = `
      import { Watch } from "${moduleUrl("lib/jit/watch.ts")}";
      try {
        new Watch(0, () => {});
      } catch (error) {
        console.log(Watch.isAvailable, error.name, error.message);
      }`;
    const allowed = ["--permission", "--allow-ffi", "--allow-fs-read=*", "--allow-fs-write=*"];
    for (const flags of [["--no-addons"], allowed]) {
      const { stdout } = spawnSync(
        process.execPath,
        [...flags, "--no-warnings", "--input-type=module-typescript", "-e", source],
        { encoding: "utf8" },
      );
      assertEquals(
        stdout.trim(),
        "false NativeUnavailableError cannot let C wake the loop: Node lets no addon in: run this again " +
          "without --no-addons, or with --allow-addons under --permission",
      );
    }
  });
});

describe("where machine code cannot be loaded", () => {
  it("Watch says that it is not available, and throws by name", () => {
    const output = outputOf(
      `
      import { Watch } from "${moduleUrl("lib/jit/watch.ts")}";
      try {
        new Watch(0, () => {});
      } catch (error) {
        console.log(Watch.isAvailable, error.name);
      }`,
      { before: "export OXBOW_NATIVE=0" },
    );
    assertEquals(output, "false NativeUnavailableError");
  });
});
