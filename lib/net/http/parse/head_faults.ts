import { showByte } from "./chars.ts";
import { HttpError } from "../error.ts";

const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const COLON = 0x3a;
/** The first byte of a TLS handshake. */
const HANDSHAKE = 0x16;

/** Whether a byte is SP or HTAB. */
export function isBlank(byte: number): boolean {
  return byte === SP || byte === 0x09;
}

/** Throws unless what follows a CR is LF. */
export function expectLf(byte: number): void {
  if (byte !== LF) throw new HttpError(400, `a CR is followed by ${showByte(byte)} and not by LF`);
}

function bareLf(): HttpError {
  return new HttpError(400, "a line ends in LF alone, not in CR LF");
}

/** Why a method may not hold `byte`. */
export function methodFault(byte: number, isFirst: boolean): HttpError {
  if (byte === LF) return bareLf();
  if (isFirst && byte === HANDSHAKE) {
    return new HttpError(400, "a TLS handshake came to a port that speaks plain HTTP");
  }
  return new HttpError(400, `the method may not hold ${showByte(byte)}`);
}

/** Why a request target may not hold `byte`. */
export function targetFault(byte: number): HttpError {
  if (byte === SP) return new HttpError(400, "two spaces follow the method");
  if (byte === CR || byte === LF) return new HttpError(400, "the request line has no version");
  return new HttpError(
    400,
    `the request target may not hold ${showByte(byte)}, which must be percent-encoded`,
  );
}

/** Why a version may not hold `byte`. */
export function versionFault(byte: number): HttpError {
  if (byte === LF) return bareLf();
  return new HttpError(
    400,
    `${showByte(byte)} after the request target, where only a version such as HTTP/1.1 may be`,
  );
}

/** Why a field's name may not hold `byte`. */
export function nameFault(byte: number, isFirst: boolean): HttpError {
  if (byte === LF) return bareLf();
  if (isFirst && isBlank(byte)) return new HttpError(400, "a header field is folded over two lines");
  if (isFirst && byte === COLON) return new HttpError(400, "a header field has no name");
  if (isBlank(byte)) return new HttpError(400, "white space stands before the colon of a header field");
  return new HttpError(400, `the name of a header field may not hold ${showByte(byte)}`);
}

/** Why a field's value may not hold `byte`. */
export function valueFault(byte: number): HttpError {
  if (byte === LF) return bareLf();
  return new HttpError(400, `the value of a header field may not hold ${showByte(byte)}`);
}
