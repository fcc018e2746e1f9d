import { type Case, HOST, reads, refuses } from "./case.ts";

const PUT = `PUT / HTTP/1.1\r\n${HOST}`;
const CHUNKED = `${PUT}Transfer-Encoding: chunked\r\n\r\n`;
const CODINGS =
  "both: 501 is for a coding that the server does not know (6.1); llhttp leaves the others to its caller";
const BWS =
  "both: the grammar allows blanks before a semicolon (7.1.1), and llhttp none since they were abused";
const OLD =
  "we are: Transfer-Encoding in HTTP/1.0 is faulty framing, after which the connection closes (6.1)";
const LIMITS = "both: RFC 9110, 15.5.14 has 413 for it, and llhttp leaves limits to its caller";

/** How the end of a body is known. */
export const bodies: readonly Case[] = [
  reads("6.3", "neither a length nor a coding: no body", `POST / HTTP/1.1\r\n${HOST}\r\n`, ["POST / "]),
  reads("6.2", "a length with zeros before it", `${PUT}Content-Length: 003\r\n\r\nabc`, ["PUT / abc"]),
  reads("6.2", "a length and another field", `${PUT}Content-Length: 003\r\nOhai: world\r\n\r\nabc`, [
    "PUT / abc",
  ]),
  reads("6.2", "a length in a GET in HTTP/1.0", "GET /g HTTP/1.0\r\nconTENT-Length: 5\r\n\r\nHELLO", [
    "GET /g HELLO",
  ]),
  reads("6.2", "a length of zero", `${PUT}Content-Length: 0\r\n\r\n`, ["PUT / "]),
  reads("6.2", "spaces around a length", `${PUT}Content-Length:  3 \r\n\r\nabc`, ["PUT / abc"]),
  reads(
    "6.2",
    "tabs around a length",
    `${PUT}Content-Length:\t3\t  \r\n\r\nabc`,
    ["PUT / abc"],
    "we are: HTAB is white space as SP is (RFC 9110, 5.6.3); the build in undici refuses it",
  ),
  reads("8", "a body that is cut off, which is no request", `${PUT}Content-Length: 100\r\n\r\n`, []),
  refuses(
    "6.2",
    "a length beyond what any number holds",
    `${PUT}Content-Length: 1000000000000000000000\r\n\r\n`,
    413,
  ),
  refuses("6.2", "a length of 2^64", `${PUT}Content-Length: 18446744073709551616\r\n\r\n`, 413),
  refuses("6.2", "a length of 2^53", `${PUT}Content-Length: 9007199254740992\r\n\r\n`, 413, LIMITS),
  refuses("6.2", "a length above the limit", `${PUT}Content-Length: 134217729\r\n\r\n`, 413, LIMITS),
  ...["4 2", "13 37", "", "+5", "-5", "5.0", "0x5", "1e+23", "5,5", "5, 6", "5;", "\xb2", "Infinity"].map((
    length,
  ) =>
    refuses("6.2", `the length ${JSON.stringify(length)}`, `${PUT}Content-Length: ${length}\r\n\r\nhello`)
  ),
  refuses("6.3", "two lengths", `${PUT}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`),
  refuses("6.3", "the same length twice", `${PUT}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`),
  refuses("5.1", "a space between Content-Length and its colon", `${PUT}Content-Length : 4\r\n\r\nabcd`),
  refuses("2.2", "CR alone where the body begins", `${PUT}Content-Length: 3\r\n\rabc`),

  refuses(
    "6.3",
    "a length, then the coding identity",
    `${PUT}Content-Length: 1\r\nTransfer-Encoding: identity\r\n\r\na`,
  ),
  refuses(
    "6.3",
    "the coding identity, then a length",
    `${PUT}Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nWorld`,
  ),
  refuses(
    "6.3",
    "a length, then chunked",
    `${PUT}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG`,
  ),
  refuses(
    "6.3",
    "chunked, then a length",
    `${PUT}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG`,
  ),
  refuses(
    "6.3",
    "a length and empty codings",
    `${PUT}Content-Length: 10\r\nTransfer-Encoding:\r\nTransfer-Encoding:\r\n\r\n2\r\nAA\r\n0\r\n`,
  ),
  refuses("6.1", "a coding that is none", `${PUT}Transfer-Encoding: pigeons\r\n\r\n`),
  refuses("6.1", "chunked, then another coding", `${PUT}Transfer-Encoding: chunked, deflate\r\n\r\nWorld`),
  refuses(
    "6.1",
    "chunked, then another coding in a field of its own",
    `${PUT}Transfer-Encoding: chunked\r\nTransfer-Encoding: deflate\r\n\r\nWorld`,
  ),
  refuses("6.1", "chunked twice", `${PUT}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`),
  refuses(
    "6.1",
    "another coding, then chunked",
    `${PUT}Transfer-Encoding: deflate, chunked\r\n\r\n5\r\nWorld\r\n0\r\n\r\n`,
    501,
    CODINGS,
  ),
  refuses(
    "6.1",
    "another coding, then chunked in a field of its own",
    `${PUT}Transfer-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nWorld\r\n0\r\n\r\n`,
    501,
    CODINGS,
  ),
  refuses("6.1", "chunkedchunked", `${PUT}Transfer-Encoding: chunkedchunked\r\n\r\n5\r\nWorld\r\n0\r\n\r\n`),
  refuses("6.1", "chunked in quotes", `${PUT}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`),
  refuses("6.1", "chunked with a parameter", `${PUT}Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n`),
  refuses("6.1", "a vertical tab before chunked", `${PUT}Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n`),
  refuses(
    "6.1",
    "no coding",
    `${PUT}Transfer-Encoding:\r\n\r\nGET /admin HTTP/1.1\r\n${HOST}\r\n`,
    400,
    "we are: a body whose end cannot be told is 400 (6.3); what llhttp takes for the next request may be its body",
  ),
  refuses(
    "6.1",
    "chunked in HTTP/1.0",
    "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
    OLD,
  ),
  refuses(
    "5.2",
    "chunked and a fold",
    `${PUT}Transfer-Encoding: chunked\r\n  abc\r\n\r\n5\r\nWorld\r\n0\r\n\r\n`,
  ),
  reads("6.1", "chunked in capitals", `${PUT}TRANSFER-ENCODING: CHUNKED\r\n\r\n0\r\n\r\n`, ["PUT / "]),

  reads("7.1", "a chunk whose size is in lower case", `${CHUNKED}a\r\n0123456789\r\n0\r\n\r\n`, [
    "PUT / 0123456789",
  ]),
  reads("7.1", "a chunk whose size is in upper case", `${CHUNKED}A\r\n0123456789\r\n0\r\n\r\n`, [
    "PUT / 0123456789",
  ]),
  reads(
    "7.1",
    "a chunk whose size has two digits",
    `${CHUNKED}1e\r\nall your base are belong to us\r\n0\r\n\r\n`,
    ["PUT / all your base are belong to us"],
  ),
  reads("7.1", "two chunks and three zeros", `${CHUNKED}5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n`, [
    "PUT / hello world",
  ]),
  reads("7.1", "chunks that are not there yet", CHUNKED, []),
  reads(
    "7.1.2",
    "trailers",
    `${CHUNKED}5\r\nhello\r\n6\r\n world\r\n0\r\nVary: *\r\nContent-Type: text/plain\r\n\r\n`,
    ["PUT / hello world"],
  ),
  refuses("7.1.2", "a trailer that is folded", `${CHUNKED}0\r\nVary: *\r\n a\r\n\r\n`),
  refuses("7.1.2", "a trailer with a space before its colon", `${CHUNKED}0\r\nVary : *\r\n\r\n`),
  refuses("7.1.2", "a trailer that ends in LF alone", `${CHUNKED}0\r\nVary: *\n\r\n`),
  reads(
    "7.1.1",
    "chunk extensions",
    `${CHUNKED}5;ilovew3;somuchlove=aretheseparametersfor;another=withvalue\r\nhello\r\n6;blahblah;blah\r\n world\r\n0\r\n\r\n`,
    ["PUT / hello world"],
  ),
  reads(
    "7.1.1",
    "chunk extensions in quotes",
    `${CHUNKED}5;ilovew3="I \\"love\\"; \\\\extensions\\\\";somuchlove="a";blah;foo=bar\r\nhello\r\n0\r\n\r\n`,
    ["PUT / hello"],
  ),
  refuses(
    "7.1.1",
    "a chunk extension whose quotes do not end",
    `${CHUNKED}5;ilovew3="abc";somuchlove="def; ghi\r\nhello\r\n0\r\n\r\n`,
  ),
  refuses("7.1.1", "a semicolon and no extension", `${CHUNKED}2;\r\naa\r\n0\r\n\r\n`),
  refuses("7.1.1", "an extension with no semicolon", `${CHUNKED}2 erfrferferf\r\naa\r\n0 rrrr\r\n\r\n`),
  refuses("7.1.1", "an extension that holds LF", `${CHUNKED}2;a\nb\r\naa\r\n0\r\n\r\n`),
  refuses("7.1.1", "an extension that holds NUL", `${CHUNKED}2;a\0b\r\naa\r\n0\r\n\r\n`),
  reads("7.1.1", "a space before a semicolon", `${CHUNKED}2 ;a=b\r\naa\r\n0\r\n\r\n`, ["PUT / aa"], BWS),
  refuses(
    "7.1.1",
    "chunk extensions of more than 16,384 bytes",
    `${CHUNKED}${`1;${"a".repeat(4100)}\r\nx\r\n`.repeat(4)}0\r\n\r\n`,
    400,
    "both: RFC 9112, 7.1.1 has servers limit them; llhttp leaves limits to its caller",
  ),
  refuses("7.1", "no last chunk", `${CHUNKED}3\r\nfoo\r\n\r\n`),
  refuses("7.1", "a space after the size of a chunk", `${CHUNKED}a \r\n0123456789\r\n0\r\n\r\n`),
  refuses("7.1", "blanks and LF after the size of a chunk", `${CHUNKED}3 \n  \r\nfoo\r\n\r\n`),
  refuses("7.1", "CR CR after the size of a chunk", `${CHUNKED}5\r\r;ABCD\r\n34\r\nE\r\n0\r\n\r\n`),
  refuses("7.1", "LF alone after the size of a chunk", `${CHUNKED}5\nhello\r\n0\r\n\r\n`),
  refuses("7.1", "data longer than the chunk", `${CHUNKED}5\r\nABCDE0\r\n\r\n`),
  refuses("7.1", "LF alone after the data of a chunk", `${CHUNKED}5\r\nABCDE\n0\r\n\r\n`),
  refuses("7.1", "a size with a sign", `${CHUNKED}+5\r\nABCDE\r\n0\r\n\r\n`),
  refuses("7.1", "a size with a prefix", `${CHUNKED}0x5\r\nABCDE\r\n0\r\n\r\n`),
  refuses("7.1", "a size with an underscore", `${CHUNKED}1_0\r\nABCDE\r\n0\r\n\r\n`),
  refuses("7.1", "no size", `${CHUNKED}\r\nABCDE\r\n0\r\n\r\n`),
  refuses(
    "7.1",
    "a size that wraps round in 64 bits",
    `${CHUNKED}10000000000000005\r\nABCDE\r\n0\r\n\r\n`,
    413,
  ),
  refuses("7.1", "a size of 2^63", `${CHUNKED}8000000000000000\r\nABCDE\r\n0\r\n\r\n`, 413, LIMITS),
  refuses(
    "7.1",
    "a size of twenty zeros",
    `${CHUNKED}00000000000000000000\r\n\r\n`,
    400,
    "both: llhttp takes any number of zeros; they say nothing, so that many are an attack",
  ),
];
