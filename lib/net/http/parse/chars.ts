/** `tchar` of RFC 9110, section 5.6.2: what methods and field names are made of. */
export const TOKEN = 1;
/** What a request target may hold: the visible characters of US-ASCII but `#`, which begins a fragment. */
export const TARGET = 2;
/** What a field value may hold: HTAB, SP, the visible characters and `obs-text` (RFC 9110, section 5.5). */
export const VALUE = 4;

/** The sets above that each byte belongs to. */
export const CLASSES: Uint8Array = classify();

function classify(): Uint8Array {
  const classes = new Uint8Array(256);
  for (let code = 0; code < 256; code++) {
    const char = String.fromCharCode(code);
    const isVisible = code > 0x20 && code < 0x7f;
    if (/[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(char)) classes[code] |= TOKEN;
    if (isVisible && char !== "#") classes[code] |= TARGET;
    if (isVisible || char === " " || char === "\t" || code >= 0x80) classes[code] |= VALUE;
  }
  return classes;
}

/** A byte as error messages show it: `"x"`, or `0x0a` where it cannot be seen. */
export function showByte(byte: number): string {
  return byte > 0x20 && byte < 0x7f
    ? JSON.stringify(String.fromCharCode(byte))
    : `0x${byte.toString(16).padStart(2, "0")}`;
}
