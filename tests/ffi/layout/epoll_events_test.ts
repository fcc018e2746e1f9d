import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { EpollEvents } from "../../../ffi/layout/epoll_events.ts";
import { array, epoll_event, unsafeBufferAt } from "../../../ffi/mod.ts";

describe("EpollEvents", () => {
  it("keeps events and tokens up to 2^53 - 1", () => {
    const token = fc.oneof(
      fc.maxSafeNat(),
      fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
    );
    const entry = fc.tuple(fc.integer(), token);
    fc.assert(fc.property(fc.array(entry, { minLength: 1, maxLength: 20 }), (entries) => {
      const events = new EpollEvents(entries.length);
      for (const [i, [flags, token]] of entries.entries()) events.set(i, flags, token);
      assertEquals(entries.map((_, i) => [events.events(i), events.token(i)]), entries);
    }));
  });

  it("lies in memory as C's array of epoll_event does", () => {
    const events = new EpollEvents(3);
    const list = array(epoll_event, 3);
    const seen = list.view(new Uint8Array(unsafeBufferAt(events.pointer, list.size)));
    events.set(0, 1, 0x1fedcba9876543);
    events.set(1, 1 << 31, 0x1ffffffff);
    events.set(2, -1, 2 ** 53 - 1);
    assertEquals(seen.map(({ events, data }) => [events, data]), [
      [1, 0x1fedcba9876543n],
      [2 ** 31, 0x1ffffffffn],
      [2 ** 32 - 1, 2n ** 53n - 1n],
    ]);
  });
});
