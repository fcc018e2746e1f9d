/**
 * The door that C goes through to a callback, in machine code of x86-64: it lets the thread in that made the
 * callback, and gives any other a zero. Left to themselves the hosts wait for ever (Deno, Bun) or abort
 * (Node) where another thread comes. It is shut once the callback was disposed, where they would jump into
 * freed memory, and once its thread has ended or the process exits, where JavaScript is gone.
 *
 * A page of code holds 63 doors of 64 bytes, each with a slot of 32 bytes in a page of data, and in the rest
 * what shuts them all. glibc calls that as it calls the destructors of C++'s thread_local objects: first of all
 * when a thread ends, be it terminated, and on the thread that calls exit(3) before what atexit(3) has
 * registered. Before that the hosts may close libraries, which then call what they have registered: so the
 * doors are shut at the `exit` event as well, where there is one.
 *
 * The code is written to a memfd and mapped from it, so that no page is ever both writable and executable. Both
 * pages stay for as long as the process: a thread may come late.
 */
import { dlopenQuietly } from "./dlopen.ts";
import { host, toPointer } from "./host.ts";
import { libc } from "./libc.ts";
import { pending } from "./pending.ts";
import { offset } from "./pointer.ts";
import { LIBC } from "./soname.ts";
import { check } from "./system_error.ts";
import type { NativeFunctions, Pointer, SymbolTable } from "./types.ts";
import process from "node:process";

const table = {
  // pthread.h
  pthread_self: { parameters: [], result: "u64" },

  // The C++ ABI for Linux, since glibc 2.18. musl has none: there doors stay open where their thread has ended.
  __cxa_thread_atexit_impl: {
    parameters: [/* void (*func)(void *) */ "function", /* void *obj */ "pointer", /* void *dso */ "pointer"],
    result: "i32",
    optional: true,
  },
} as const satisfies SymbolTable;

const PAGE = 4096;
const DOORS = 63;
const DOOR_BYTES = 64;
const SLOT_BYTES = 32;
/** So many doors were shut after one before it is opened again: C may have kept its pointer. */
const KEPT_SHUT = 64;
/** Where a page of data has the flag that a refusal raises: behind the slots. */
const FLAG_BYTES = DOORS * SLOT_BYTES;

/** Words of a slot: the thread that may pass, where it goes on, how many calls were refused. */
const OWNER = 0;
const TARGET = 1;
const REFUSED = 2;

const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE = 0x02;
const MAP_ANONYMOUS = 0x20;
const MFD_CLOEXEC = 1;

/** A way to one callback. */
export interface Door {
  /** What C calls. */
  readonly pointer: Pointer;
  /** Refuses every thread from now on. The pointer becomes another callback's once 64 more were shut. */
  shut(): void;
}

/** Where one door's numbers are, and whose it is. */
interface Slot {
  readonly pointer: Pointer;
  readonly words: BigUint64Array;
  name: string;
}

let symbols: NativeFunctions<typeof table> | undefined;
let flag: bigint | undefined;
const slots: Slot[] = [];
/** Those that never were a callback's. */
const fresh: Slot[] = [];
/** The one that was shut first comes first. */
const shut: Slot[] = [];

function threads(): NativeFunctions<typeof table> {
  return symbols ??= dlopenQuietly(LIBC, table).symbols;
}

function map(protection: number, flags: number, fd: number): bigint {
  const address = libc().mmap(null, PAGE, protection, flags, fd, 0);
  check(address === -1n ? -1 : 0, "mmap", { hint: "a callback needs a page of code and one of data" });
  return address;
}

/** Little-endian, and ready to run. */
function codeOf(data: bigint, flag: bigint): Uint8Array<ArrayBuffer> {
  const code = new Uint8Array(PAGE);
  const view = new DataView(code.buffer);
  let at = 0;
  function part(...bytes: number[]): void {
    code.set(bytes, at);
    at += bytes.length;
  }
  function address(value: bigint): void {
    view.setBigUint64(at, value, true);
    at += 8;
  }
  for (let i = 0; i < DOORS; i++) {
    at = i * DOOR_BYTES;
    part(0xf3, 0x0f, 0x1e, 0xfa); // endbr64
    part(0x49, 0xbb), address(data + BigInt(i * SLOT_BYTES)); // mov r11, slot
    part(0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0); // mov rax, fs:[0]
    part(0x49, 0x3b, 0x03); // cmp rax, [r11 + 8 * OWNER]
    part(0x75, 0x04); // jne refuse
    part(0x41, 0xff, 0x63, 8 * TARGET); // jmp [r11 + 8 * TARGET]
    part(0xf0, 0x49, 0xff, 0x43, 8 * REFUSED); // refuse: lock inc qword [r11 + 8 * REFUSED]
    part(0x49, 0xbb), address(flag); // mov r11, flag
    part(0x41, 0xc7, 0x03, 1, 0, 0, 0); // mov dword [r11], 1
    part(0x31, 0xc0); // xor eax, eax
    part(0x0f, 0x57, 0xc0); // xorps xmm0, xmm0
    part(0xc3); // ret
  }
  at = DOORS * DOOR_BYTES;
  part(0xf3, 0x0f, 0x1e, 0xfa); // endbr64; rdi is the page of data
  part(0x31, 0xc0); // xor eax, eax
  part(0xb9, DOORS, 0, 0, 0); // mov ecx, DOORS
  part(0x48, 0x89, 0x47, 8 * OWNER); // slot: mov [rdi + 8 * OWNER], rax
  part(0x48, 0x83, 0xc7, SLOT_BYTES); // add rdi, SLOT_BYTES
  part(0xff, 0xc9); // dec ecx
  part(0x75, -12); // jne slot
  part(0xc3); // ret
  return code;
}

function mapCode(code: Uint8Array<ArrayBuffer>): bigint {
  const { memfd_create, write, close } = libc();
  const fd = check(memfd_create("oxbow-callbacks", MFD_CLOEXEC), "memfd_create");
  try {
    check(Number(write(fd, code, code.length)), "write");
    return map(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd);
  } finally {
    close(fd);
  }
}

function shutAll(): void {
  for (const { words } of slots) words[OWNER] = 0n;
}

/** After the other listeners, whenever they come: theirs may call C, and be called back. */
function shutAtExit(): void {
  process.on("exit", shutAll);
  process.on("newListener", (event, listener) => {
    if (event !== "exit" || listener === shutAll) return;
    process.off("exit", shutAll);
    queueMicrotask(() => {
      process.off("exit", shutAll);
      process.on("exit", shutAll);
    });
  });
}

function addPages(): void {
  const data = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  const buffer = host.bufferAt(data, PAGE);
  if (flag === undefined) {
    flag = data + BigInt(FLAG_BYTES);
    pending.flags = new Int32Array(buffer, FLAG_BYTES, 1);
    pending.takeRefusal = takeRefusal;
    shutAtExit();
  }
  const code = toPointer(mapCode(codeOf(data, flag)));
  for (let i = 0; i < DOORS; i++) {
    const words = new BigUint64Array(buffer, i * SLOT_BYTES, SLOT_BYTES / 8);
    const slot: Slot = { pointer: offset(code, i * DOOR_BYTES), words, name: "" };
    slots.push(slot);
    fresh.push(slot);
  }
  const object = toPointer(data);
  // No library is to be kept loaded for this: an address that is in none counts as the program's own.
  threads().__cxa_thread_atexit_impl?.(offset(code, DOORS * DOOR_BYTES), object, object);
}

function takeSlot(): Slot {
  if (shut.length <= KEPT_SHUT && fresh.length === 0) addPages();
  const [slot] = (shut.length > KEPT_SHUT ? shut : fresh).splice(0, 1);
  return slot;
}

/** A door to `target`, for this thread alone. `name` is what a refusal calls it. */
export function openDoor(target: bigint, name: string): Door {
  const slot = takeSlot();
  slot.name = name;
  slot.words[TARGET] = target;
  slot.words[OWNER] = threads().pthread_self();
  return {
    pointer: slot.pointer,
    shut() {
      slot.words[OWNER] = 0n;
      shut.push(slot);
    },
  };
}

/** What was refused since it was last asked, as a sentence. */
function takeRefusal(): string | undefined {
  const sentences = slots.flatMap(({ name, words }) => {
    const count = Atomics.exchange(words, REFUSED, 0n);
    if (count === 0n) return [];
    const why = words[OWNER] === 0n ? "after it was disposed" : "on another thread than the one that made it";
    return [`${name} was called ${why}: C was given zero, ${count} time${count === 1n ? "" : "s"}`];
  });
  return sentences.length === 0 ? undefined : sentences.join("; ");
}
