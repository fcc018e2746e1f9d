const utf8 = new TextEncoder();

/**
 * Bytes to be sent: those that fit stand in `bytes` up to `length`, what comes after the first piece that did
 * not fit stands in `rest`, uncopied where it can be. A head and a body that fit leave in one system call.
 */
export class Output {
  readonly bytes: Uint8Array<ArrayBuffer>;
  length = 0;
  readonly rest: Uint8Array[] = [];

  /** Writes into `bytes`, which may be a buffer of the kernel's. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
  }

  /** Forgets everything, once it is sent. */
  clear(): void {
    this.length = 0;
    this.rest.length = 0;
  }

  /** Adds bytes, which must not change before they are sent. */
  append(bytes: Uint8Array): void {
    if (this.#hasRoom(bytes.length)) {
      this.bytes.set(bytes, this.length);
      this.length += bytes.length;
    } else if (bytes.length > 0) {
      this.rest.push(bytes);
    }
  }

  /** Adds a head and, as UTF-8, the text after it, whose size is `textLength` bytes. */
  appendHead(head: string, text: string, textLength: number): void {
    const size = head.length + textLength;
    if (this.#hasRoom(size)) {
      const { read, written } = utf8.encodeInto(head + text, this.#tail());
      // A character of the head beyond ASCII takes two bytes: then all was not read, or more was written.
      if (read === head.length + text.length && written === size) {
        this.length += size;
        return;
      }
    }
    this.append(latin1(head));
    if (textLength > 0) this.append(utf8.encode(text));
  }

  #tail(): Uint8Array {
    return this.length === 0 ? this.bytes : this.bytes.subarray(this.length);
  }

  #hasRoom(size: number): boolean {
    return this.rest.length === 0 && this.length + size <= this.bytes.length;
  }
}

/** A head with a byte beyond ASCII in it: the bytes of a field value are its characters' codes. */
function latin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
