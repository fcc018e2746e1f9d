import { type Case, END, HOST, reads, refuses } from "./case.ts";

const GET = `GET / HTTP/1.1\r\n${HOST}`;
const CLOSED = "both: what follows is not to be read (9.6); llhttp calls it an error, we close";
const UPGRADED =
  "both: llhttp stops at Upgrade, we only where the handler takes the connection (RFC 9110, 7.8)";

/** Field lines, and what they say of the connection. */
export const fields: readonly Case[] = [
  reads("5", "two fields, a tab before one's value", `${GET}Header1: Value1\r\nHeader2:\t Value2\r\n\r\n`, [
    "GET / ",
  ]),
  reads("5", "a name of one letter repeated", `${GET}aaaaaaaaaaaaa:++++++++++\r\n\r\n`, ["GET / "]),
  reads("5", "an underscore in a name", `${GET}x_y: 1\r\n\r\n`, ["GET / "]),
  reads(
    "5",
    "nine fields of a browser",
    `${GET}User-Agent: Mozilla/5.0 (X11; U) Firefox/3.0\r\n` +
      "Accept: text/html,*/*;q=0.8\r\nAccept-Language: en-us,en;q=0.5\r\nAccept-Encoding: gzip,deflate\r\n" +
      "Accept-Charset: ISO-8859-1,utf-8;q=0.7\r\nKeep-Alive: 300\r\nConnection: keep-alive\r\n\r\n",
    ["GET / "],
  ),
  reads("5", "one name twice", `${GET}Link: <http://a/joe>; rel="tag"\r\nLink: <http://a/sally>\r\n\r\n`, [
    "GET / ",
  ]),
  reads("5.5", "UTF-8 in a value", `${GET}Test: D\xc3\xbcsseldorf\r\n\r\n`, ["GET / "]),
  reads("5.5", "0xff in a value", `${GET}Header2: \xffValue2\r\n\r\n`, ["GET / "]),
  reads("5.1", "an empty value", `${GET}X:\r\n\r\n`, ["GET / "]),
  reads("5.1", "blanks for a value", `${GET}X: \t \r\n\r\n`, ["GET / "]),
  refuses("5.5", "a form feed for a value", `${GET}Header1: \f\r\n\r\n`),
  refuses("5.5", "a form feed inside a value", `${GET}Header1: hello\fworld\r\n\r\n`),
  refuses("5.5", "NUL in a value", `${GET}X: a\0b\r\n\r\n`),
  refuses("5.5", "DEL in a value", `${GET}X: a\x7fb\r\n\r\n`),
  refuses("5.5", "CR alone in a value", `${GET}Foo: 1\rBar: 2\r\n\r\n`),
  refuses("5.5", "CR alone for a value", `${GET}x:\rTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n\r\n`),
  refuses("2.2", "LF alone for a value", `${GET}x:\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n\r\n`),
  refuses(
    "2.2",
    "LF alone between fields",
    `${GET}x:x\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n\r\n`,
  ),
  refuses(
    "2.2",
    "LF alone before a length",
    `${GET}Dummy: x\nContent-Length: 23\r\n\r\nGET / HTTP/1.1\r\nDummy: GET /admin HTTP/1.1\r\n\r\n`,
  ),
  refuses("2.2", "LF alone at the end of the head", `${GET}\n`),
  refuses(
    "2.2",
    "CR and another byte where the head ends",
    `${GET}Connection: close\r\n\rZGET /evil: HTTP/1.1\r\n${END}`,
  ),
  refuses("5.2", "a folded value", `${GET}Line1: abc\r\n\tdef\r\n ghi\r\n\r\n`),
  refuses("5.2", "a value folded by LF alone", `${GET}Line1: abc\n\tdef\r\n\r\n`),
  refuses("5.2", "a Connection that is folded", `${GET}Connection:\r\n close\r\n\r\n`),
  refuses(
    "5.2",
    "a length that hides behind a fold",
    `POST / HTTP/1.1\r\n${HOST}Foo: bar\r\n Content-Length: 38\r\n\r\nGET /bye HTTP/1.1\r\n${END}`,
  ),
  refuses("5.2", "a name that is folded", `${GET}name\r\n : value\r\n\r\n`),
  refuses("5.1", "an at sign in a name", `${GET}Fo@: Failure\r\n\r\n`),
  refuses("5.1", "a control byte in a name", `${GET}Foo\x01test: Bar\r\n\r\n`),
  refuses("5.1", "no name", `${GET}: Bar\r\n\r\n`),
  refuses("5.1", "no colon", `${GET}X\r\n\r\n`),
  refuses("5.1", "a space before the colon", `${GET}Connection : upgrade\r\n\r\n`),
  refuses("5.1", "a tab before the colon", `${GET}X\t: y\r\n\r\n`),
  refuses("5.1", "a name beyond ASCII", `${GET}X\xe9: y\r\n\r\n`),
  refuses("5.1", "a name broken off by CR", `${GET}Connection\r\x1b\x35\xd5eep-Alive\r\nX: y\r\n\r\n`),
  refuses(
    "5.1",
    "a name that holds CR in place of a dash",
    `PUT / HTTP/1.1\r\n${HOST}Content\rLength: 003\r\n\r\nabc`,
  ),
  refuses("5.1", "a name cut short by the end of the line", `PUT / HTTP/1.1\r\n${HOST}Content-Leng\r\n`),
  refuses(
    "5.1",
    "a value of Connection that holds CR",
    `PUT / HTTP/1.1\r\n${HOST}Connection: keep\ralive\r\n\r\n`,
  ),

  reads(
    "9.3",
    "keep-alive, and another request",
    `PUT /a HTTP/1.1\r\n${HOST}Connection: keep-alive\r\n\r\nPUT /b HTTP/1.1\r\n${END}`,
    ["PUT /a ", "PUT /b "],
  ),
  reads(
    "9.3",
    "HTTP/1.0 without keep-alive, and another request",
    `PUT /a HTTP/1.0\r\n\r\nPUT /b HTTP/1.1\r\n${END}`,
    ["PUT /a "],
    CLOSED,
  ),
  reads(
    "9.3",
    "HTTP/1.0 with keep-alive, and another request",
    `PUT /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nPUT /b HTTP/1.1\r\n${END}`,
    ["PUT /a ", "PUT /b "],
  ),
  reads("9.6", "close", `PUT /a HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, ["PUT /a "]),
  reads("9.6", "close and a tab", `PUT /a HTTP/1.1\r\n${HOST}Connection: close\t\r\n\r\n`, ["PUT /a "]),
  reads(
    "9.6",
    "close, and another request",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 4\r\nConnection: close\r\n\r\nq=42\r\n\r\nGET / HTTP/1.1\r\n${END}`,
    ["POST / q=42"],
    CLOSED,
  ),
  reads(
    "9.6",
    "close and a tab, and another request",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 4\r\nConnection: close\t\r\n\r\nq=42\r\n\r\nGET / HTTP/1.1\r\n${END}`,
    ["POST / q=42"],
    CLOSED,
  ),
  reads(
    "9.6",
    "close among other options",
    `PUT /a HTTP/1.1\r\n${HOST}Connection: close, token, upgrade, token, keep-alive\r\n\r\n`,
    ["PUT /a "],
  ),
  reads(
    "9.3.2",
    "three requests with bodies, pipelined",
    `POST /aaa HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nAAAPUT /bbb HTTP/1.1\r\n${HOST}Content-Length: 4\r\n\r\nBBBBPATCH /ccc HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nCCCCC`,
    ["POST /aaa AAA", "PUT /bbb BBBB", "PATCH /ccc CCCCC"],
  ),
  reads(
    "2.2",
    "an empty line between two requests",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 4\r\n\r\nq=42\r\nGET /b HTTP/1.1\r\n${END}`,
    ["POST / q=42", "GET /b "],
  ),
  reads(
    "9.9",
    "Upgrade, which the handler may heed",
    `GET /demo HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n`,
    ["GET /demo "],
  ),
  reads(
    "9.9",
    "Upgrade with a body",
    `POST /demo HTTP/1.1\r\n${HOST}Connection: keep-alive, upgrade\r\nUpgrade: h2c\r\nContent-Length: 15\r\n\r\nsweet post body`,
    ["POST /demo sweet post body"],
  ),
  refuses(
    "9.9",
    "Upgrade and what is no request, where nobody upgrades",
    `GET /demo HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: ws\r\n\r\nHot@diggity dogg`,
    400,
    UPGRADED,
    ["GET /demo "],
  ),
  refuses(
    "RFC 9110, 10.1.1",
    "an expectation that is not known",
    `GET / HTTP/1.1\r\n${HOST}Expect: the unexpected\r\n\r\n`,
    417,
    "we are: a server that cannot meet it answers 417, of which a parser alone does not know",
  ),
  refuses(
    "5.4",
    "more than 100 fields",
    `${GET}${"X: y\r\n".repeat(100)}\r\n`,
    431,
    "both: RFC 6585, 5 has 431 for it, and llhttp leaves limits to its caller",
  ),
  refuses(
    "5.4",
    "fields of more than 16,384 bytes",
    `${GET}X: ${"y".repeat(16384)}\r\n\r\n`,
    431,
    "both: RFC 6585, 5 has 431 for it, and llhttp leaves limits to its caller",
  ),
  refuses(
    "3",
    "a target of more than 8,192 bytes",
    `GET /${"y".repeat(8192)} HTTP/1.1\r\n${END}`,
    414,
    "both: RFC 9110, 15.5.15 has 414 for it, and llhttp leaves limits to its caller",
  ),
];
