import { type Case, END, HOST, reads, refuses } from "./case.ts";

const HOSTLESS = "we are: a server must answer 400 where Host lacks, of which a parser alone does not know";
const FRAGMENT = "we are: no form of target has a fragment (3.2), and whoever strips it sees another target";
const TOKENS =
  "we are: any token is a method, and 501 is the handler's to say (RFC 9110, 9.1); llhttp has a list";
const ZERO_NINE = "we are: HTTP/0.9 has had no place since RFC 7230, and it has no fields to be refused by";
const CONNECTS = "both: CONNECT is for a proxy, which llhttp may stand in and we do not (RFC 9110, 9.3.6)";
const ONLY_OPTIONS = "we are: the asterisk is for OPTIONS alone (3.2.4)";
const USERINFO = "we are: userinfo in an http URL is to be treated as an error (RFC 9110, 4.2.4)";

/** The first line of a request, and what may stand before it. */
export const requestLines: readonly Case[] = [
  reads("3", "a GET of a path", `GET /test HTTP/1.1\r\n${END}`, ["GET /test "]),
  reads("3", "a method that begins as another does", `HEAD /url HTTP/1.1\r\n${END}`, ["HEAD /url "]),
  reads("2.3", "a request in HTTP/1.0", "GET /test HTTP/1.0\r\nAccept: */*\r\n\r\n", ["GET /test "]),
  ...["REPORT", "PURGE", "SEARCH", "LINK", "UNLINK", "M-SEARCH", "SOURCE", "TRACE", "DELETE"].map((method) =>
    reads("3.1", `the method ${method}`, `${method} /dog.jpg HTTP/1.1\r\n${END}`, [`${method} /dog.jpg `])
  ),
  reads("3.1", "PATCH with a body", `PATCH /f HTTP/1.1\r\n${HOST}Content-Length: 10\r\n\r\ncccccccccc`, [
    "PATCH /f cccccccccc",
  ]),
  reads("3.1", "QUERY with a body", `QUERY /contacts HTTP/1.1\r\n${HOST}Content-Length: 6\r\n\r\nselect`, [
    "QUERY /contacts select",
  ]),
  reads("3.1", "a method that nobody knows", `MKCOLA / HTTP/1.1\r\n${END}`, ["MKCOLA / "], TOKENS),
  reads(
    "3.1",
    "a method in lower case, which is another method",
    `get / HTTP/1.1\r\n${END}`,
    ["get / "],
    TOKENS,
  ),
  reads(
    "3.1",
    "a method of streaming in HTTP",
    `ANNOUNCE /music HTTP/1.0\r\n${END}`,
    ["ANNOUNCE /music "],
    TOKENS,
  ),
  refuses("3.1", "a method with a character that is no token's", `GE@T / HTTP/1.1\r\n${END}`),
  refuses("3.1", "no method", `/ HTTP/1.1\r\n${END}`),
  refuses("3.1", "a space before the method", ` GET / HTTP/1.1\r\n${END}`),
  refuses("3.1", "NUL in the method", `G\0T / HTTP/1.1\r\n${END}`),

  reads("2.2", "an empty line before the request", `\r\nGET /test HTTP/1.1\r\n${END}`, ["GET /test "]),
  reads("2.2", "four empty lines before the request", `\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n${END}`, ["GET / "]),
  refuses(
    "2.2",
    "a hundred empty lines before the request",
    `${"\r\n".repeat(100)}GET / HTTP/1.1\r\n${END}`,
    400,
    "both: a server should ignore at least one; endless ones are a client that does nothing else",
  ),
  refuses(
    "2.2",
    "LF alone before the request",
    `\nGET / HTTP/1.1\r\n${END}`,
    400,
    "both: a recipient may take LF for a line's end; we never do, lest one of two in a row does",
  ),
  refuses("2.2", "LF alone after the version", `GET / HTTP/1.1\n${HOST}\r\n`),
  refuses(
    "2.2",
    "LF alone after every line",
    "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n1\nA\n0\n\n",
  ),
  refuses("2.2", "CR alone after the version", `GET / HTTP/1.1\rLine: 1\r\n\r\n`),
  refuses("2.2", "two CRs after the version", `GET / HTTP/1.1\r\r\n${END}`),
  refuses("2.2", "white space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
  refuses("2.2", "a tab before the first field", "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n"),

  refuses("2.3", "another protocol's name", `GET /music IHTTP/1.0\r\n${END}`),
  refuses("2.3", "the protocol of icecast with a method of HTTP", `GET /music ICE/1.0\r\n${END}`),
  refuses(
    "2.3",
    "the protocol of icecast",
    `SOURCE /music ICE/1.0\r\n${END}`,
    400,
    "both: llhttp reads ICE and RTSP as well, which this server does not speak",
  ),
  refuses("2.3", "the protocol of streaming with a method of HTTP", `PUT /music RTSP/1.0\r\n${END}`),
  refuses(
    "2.3",
    "the protocol of streaming",
    `OPTIONS /music RTSP/1.0\r\n${END}`,
    400,
    "both: llhttp reads ICE and RTSP as well, which this server does not speak",
  ),
  refuses("2.3", "a version that there is not", `GET / HTTP/5.6\r\n${END}`, 505),
  refuses("2.3", "a version of two digits", `GET / HTTP/1.10\r\n${END}`),
  refuses("2.3", "a version in lower case", `GET / http/1.1\r\n${END}`),
  refuses(
    "2.3",
    "HTTP/2 by name",
    `GET / HTTP/2.0\r\n${END}`,
    505,
    "we are: this is HTTP/1.1's grammar under HTTP/2's name; llhttp leaves it to who asks it for the version",
  ),
  reads(
    "2.3",
    "a higher minor version, which is read as the highest that is known",
    `GET / HTTP/1.5\r\n${END}`,
    ["GET / "],
    "we are: a recipient reads a higher minor version as HTTP/1.1 (RFC 9110, 2.5)",
  ),
  refuses("2.3", "HTTP/0.9", "GET /\r\n\r\n", 400, ZERO_NINE),
  refuses(
    "RFC 9113, 3.4",
    "the preface of HTTP/2",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    505,
    "both: who sends it wants HTTP/2 (RFC 9113, 3.4), which llhttp tells its caller and we refuse",
  ),
  refuses(
    "RFC 9113, 3.4",
    "the preface of HTTP/2 in HTTP/1.1's version",
    "PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n",
    400,
    "we are: PRI is reserved, and so that it ends in an error for HTTP/1.1 (RFC 9113, 11.6)",
  ),

  refuses("3", "a space in the target", `GET /foo bar/ HTTP/1.1\r\n${END}`),
  refuses(
    "3",
    "two spaces after the method",
    `GET  / HTTP/1.1\r\n${END}`,
    400,
    "both: a recipient may be lenient about white space there (3), and llhttp is",
  ),
  refuses("3", "a space after the version", `GET / HTTP/1.1 \r\n${END}`),
  refuses("3", "a tab after the method", `GET\t/ HTTP/1.1\r\n${END}`),
  refuses("3", "no target", `GET HTTP/1.1\r\n${END}`),

  reads("3.2.1", "quotes in the target", `GET /with_"lovely"_quotes?foo="bar" HTTP/1.1\r\n${END}`, [
    'GET /with_"lovely"_quotes?foo="bar" ',
  ]),
  reads("3.2.1", "a second question mark in the query", `GET /t.cgi?foo=bar?baz HTTP/1.1\r\n${END}`, [
    "GET /t.cgi?foo=bar?baz ",
  ]),
  reads("3.2.1", "two question marks in a row", `GET /p/??fp-min.css HTTP/1.1\r\n${END}`, [
    "GET /p/??fp-min.css ",
  ]),
  reads("3.2.1", "a vertical bar in the query", `GET /t.cgi?query=| HTTP/1.1\r\n${END}`, [
    "GET /t.cgi?query=| ",
  ]),
  reads("3.2.1", "a space that is percent-encoded", `GET /t.html?t=a%20b HTTP/1.1\r\n${END}`, [
    "GET /t.html?t=a%20b ",
  ]),
  refuses("3.2.1", "UTF-8 in the path", `GET /\xce\xb4\xc2\xb6/pope HTTP/1.1\r\n${END}`),
  refuses("3.2.1", "a tab in the target", `GET /foo\tbar/ HTTP/1.1\r\n${END}`),
  refuses("3.2.1", "a form feed in the target", `GET /foo\fbar/ HTTP/1.1\r\n${END}`),
  refuses("3.2.1", "NUL in the target", `GET /foo\0bar/ HTTP/1.1\r\n${END}`),
  refuses("3.2.1", "DEL in the target", `GET /foo\x7fbar/ HTTP/1.1\r\n${END}`),
  refuses("3.2.1", "a fragment", `GET /forums/2375?page=1#posts-17408 HTTP/1.1\r\n${END}`, 400, FRAGMENT),

  reads("3.2.2", "an absolute target that a query ends", `GET http://a.example?hail=all HTTP/1.1\r\n${END}`, [
    "GET http://a.example?hail=all ",
  ]),
  reads(
    "3.2.2",
    "an absolute target with a port that a query ends",
    `GET http://a.example:1234?b HTTP/1.1\r\n${END}`,
    [
      "GET http://a.example:1234?b ",
    ],
  ),
  reads("3.2.2", "an absolute target with a port alone", `GET http://a.example:1234 HTTP/1.1\r\n${END}`, [
    "GET http://a.example:1234 ",
  ]),
  reads("3.2.2", "an absolute target with a path", `GET http://hostname:444/x?y HTTP/1.1\r\n${END}`, [
    "GET http://hostname:444/x?y ",
  ]),
  reads("3.2.2", "an absolute target by IPv6", `GET http://[1:2::3:4]:67/ HTTP/1.1\r\n${END}`, [
    "GET http://[1:2::3:4]:67/ ",
  ]),
  reads(
    "3.2.2",
    "an absolute target by IPv6 that ends in IPv4",
    `GET http://[2001:0000:0000:0000:0000:0000:1.9.1.1]/ HTTP/1.1\r\n${END}`,
    ["GET http://[2001:0000:0000:0000:0000:0000:1.9.1.1]/ "],
  ),
  refuses(
    "3.2.2",
    "an absolute target with a fragment",
    `GET http://a.example/p?q=v#s HTTP/1.1\r\n${END}`,
    400,
    FRAGMENT,
  ),
  refuses(
    "3.2.2",
    "an absolute target with a user",
    `GET http://a%12:b!&*$@a.example:1234/ HTTP/1.1\r\n${END}`,
    400,
    USERINFO,
  ),
  refuses(
    "3.2.2",
    "an absolute target with a user that has a space",
    `GET http://a%20:b@a/ HTTP/1.1\r\n${END}`,
    400,
    USERINFO,
  ),
  refuses("3.2.2", "an absolute target with two users", `GET http://a:b@@hostname:443/ HTTP/1.1\r\n${END}`),
  refuses(
    "3.2.2",
    "an absolute target by IPv6 with a zone",
    `GET http://[fe80::a%25eth0]/ HTTP/1.1\r\n${END}`,
    400,
    "we are: a zone is of one machine only and must not leave it (RFC 6874, 4)",
  ),
  refuses("3.2.2", "an absolute target of no scheme that there is", `GET schema:/wrong HTTP/1.1\r\n${END}`),
  refuses(
    "3.2.2",
    "an absolute target of another scheme",
    `GET ftp://a/x HTTP/1.1\r\n${END}`,
    400,
    "both: what is not http has no place at an origin server (RFC 9110, 7.4); llhttp knows any scheme",
  ),

  refuses(
    "3.2.3",
    "CONNECT",
    "CONNECT home0.example:443 HTTP/1.0\r\nUser-agent: M\r\n\r\nsome data",
    501,
    CONNECTS,
  ),
  refuses("3.2.3", "CONNECT in capitals", "CONNECT HOME0.EXAMPLE:443 HTTP/1.0\r\n\r\n", 501, CONNECTS),
  refuses(
    "3.2.3",
    "CONNECT with an underscore in the name",
    "CONNECT home_0.example:443 HTTP/1.0\r\n\r\n",
    501,
    CONNECTS,
  ),
  refuses(
    "3.2.3",
    "CONNECT with a body",
    "CONNECT foo.bar.example:443 HTTP/1.0\r\nContent-Length: 10\r\n\r\nblarfcicle",
    501,
    CONNECTS,
  ),
  refuses(
    "3.2.3",
    "CONNECT of a path",
    `CONNECT /x HTTP/1.1\r\n${END}`,
    400,
    "we are: its target is host and port, and nothing else (3.2.3)",
  ),
  reads("3.2.4", "an asterisk for OPTIONS", `OPTIONS * HTTP/1.1\r\n${END}`, ["OPTIONS * "]),
  refuses("3.2.4", "an asterisk for M-SEARCH", `M-SEARCH * HTTP/1.1\r\n${END}`, 400, ONLY_OPTIONS),
  refuses("3.2.4", "an asterisk for GET", `GET * HTTP/1.1\r\n${END}`, 400, ONLY_OPTIONS),

  refuses("3.2", "no Host", "GET /get_no_headers_no_body/world HTTP/1.1\r\n\r\n", 400, HOSTLESS),
  refuses("3.2", "a field, and no Host", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n", 400, HOSTLESS),
  refuses("3.2", "two Hosts", `GET / HTTP/1.1\r\n${HOST}Host: b\r\n\r\n`, 400, HOSTLESS),
  refuses("3.2", "a path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, HOSTLESS),
  refuses("3.2", "a user in Host", "GET / HTTP/1.1\r\nHost: me@a\r\n\r\n", 400, HOSTLESS),
  reads("3.2", "an odd Host", "GET /test HTTP/1.1\r\nHost: 0.0.0.0=5000\r\n\r\n", ["GET /test "]),
  reads("3.2", "an empty Host", "GET /test HTTP/1.1\r\nHost:\r\n\r\n", ["GET /test "]),
  reads(
    "3.2.2",
    "a Host that is not the absolute target's, which counts",
    `GET http://b/ HTTP/1.1\r\n${END}`,
    [
      "GET http://b/ ",
    ],
  ),
];
