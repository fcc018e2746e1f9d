import { describe, it } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import mime from "mime";
import { KNOWN_EXTENSIONS, mediaType } from "../../../lib/net/http/files/media_types.ts";

describe("mediaType()", () => {
  it("says of every extension that it knows what the package mime does", () => {
    const types = KNOWN_EXTENSIONS.map((extension) => [extension, mediaType(`a.${extension}`).split(";")[0]]);
    assertEquals(types, KNOWN_EXTENSIONS.map((extension) => [extension, mime.getType(extension)]));
  });

  it("says that text is UTF-8", () => {
    assertStrictEquals(mediaType("/a/index.html"), "text/html; charset=utf-8");
    assertStrictEquals(mediaType("a.JS"), "text/javascript; charset=utf-8");
    assertStrictEquals(mediaType("a.json"), "application/json");
  });

  it("goes by the last extension alone, and by none of a folder or of a file that begins with a dot", () => {
    for (const path of ["a", "a.", "a.tar.unknown", ".html", "a.html/b", "a.constructor", "a.toString"]) {
      assertStrictEquals(mediaType(path), "application/octet-stream");
    }
    assertStrictEquals(mediaType("a.css.html"), "text/html; charset=utf-8");
  });

  it("puts what it is given before what it knows", () => {
    const more = { html: "text/x-mine", foo: "x/foo" };
    assertStrictEquals(mediaType("a.html", more), "text/x-mine");
    assertStrictEquals(mediaType("a.foo", more), "x/foo");
  });
});
