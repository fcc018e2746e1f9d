import { describe, it } from "node:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertEquals } from "@std/assert";
import { check, cString, libc, NULL, offset, pointerAt } from "../../ffi/mod.ts";
import { anonymousParts } from "../../ffi/proc_maps.ts";

const PAGE = 4096;
const [PROT_READ, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS] = [1, 2, 0x10, 0x20];

describe("anonymousParts", () => {
  it("tells the parts of a file's map that have no file any more", () => {
    const folder = mkdtempSync(join(tmpdir(), "oxbow-maps-"));
    try {
      const path = join(folder, "file");
      writeFileSync(path, new Uint8Array(8 * PAGE));
      const fd = check(libc().open(cString(path), 0, 0), "open");
      const start = pointerAt(libc().mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
      libc().close(fd);
      assertEquals(anonymousParts(start, 8 * PAGE), []);
      for (const page of [1, 4, 5]) {
        const flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS;
        libc().mmap(offset(start, page * PAGE), PAGE, PROT_READ, flags, -1, 0);
      }
      assertEquals(anonymousParts(start, 8 * PAGE), [
        { offset: PAGE, length: PAGE },
        { offset: 4 * PAGE, length: 2 * PAGE },
      ]);
      // A range that begins and ends within them.
      assertEquals(anonymousParts(offset(start, 5 * PAGE), PAGE), [{ offset: 0, length: PAGE }]);
      assertEquals(anonymousParts(offset(start, 5 * PAGE + 10), 100), [{ offset: 0, length: 100 }]);
      libc().munmap(start, 8 * PAGE);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("reads a list that is longer than one read gives", () => {
    const count = 3_000;
    const fd = libc().memfd_create("oxbow-maps", 0);
    const start = pointerAt(
      libc().mmap(NULL, 2 * count * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
    );
    for (let i = 0; i < count; i++) {
      libc().mmap(offset(start, (2 * i + 1) * PAGE), PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
    }
    libc().close(fd);
    const parts = anonymousParts(start, 2 * count * PAGE);
    libc().munmap(start, 2 * count * PAGE);
    assertEquals(parts, Array.from({ length: count }, (_, i) => ({ offset: 2 * i * PAGE, length: PAGE })));
  });
});
