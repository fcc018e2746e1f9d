/**
 * A watch of Node's own loop, by the functions of libuv that Node exports: no thread, and no code of ours but what closes
 * the handle of a worker that is ended. Sources: uv.h, and node.h for the loop of a thread.
 */
import type { RawFunction, RawWatch } from "./host.ts";
import { NativeUnavailableError } from "./unavailable.ts";

/** What a watch asks of the process itself, as a library that is never closed. */
export interface ProcessSymbols {
  getFunction(name: string, signature: { arguments: string[]; return: string }): RawFunction;
  getSymbol(name: string): bigint;
  registerCallback(signature: { arguments: string[]; return: string }, fn: RawFunction): bigint;
  unregisterCallback(pointer: bigint): void;
}

/** `v8::Isolate::GetCurrent`, and three functions of `node`, by their names in C++. */
const GET_ISOLATE = "_ZN2v87Isolate10GetCurrentEv";
const GET_LOOP = "_ZN4node19GetCurrentEventLoopEPN2v87IsolateE";
const ADD_HOOK = "_ZN4node25AddEnvironmentCleanupHookEPN2v87IsolateEPFvPvES3_";
const REMOVE_HOOK = "_ZN4node28RemoveEnvironmentCleanupHookEPN2v87IsolateEPFvPvES3_";

const TABLE = {
  calloc: [["u64", "u64"], "u64"],
  free: [["u64"], "void"],
  close: [["i32"], "i32"],
  uv_handle_size: [["i32"], "u64"],
  uv_handle_set_data: [["u64", "u64"], "void"],
  uv_close: [["u64", "u64"], "void"],
  uv_ref: [["u64"], "void"],
  uv_unref: [["u64"], "void"],
  uv_poll_init: [["u64", "u64", "i32"], "i32"],
  uv_poll_start: [["u64", "i32", "u64"], "i32"],
  uv_poll_stop: [["u64"], "i32"],
  [GET_ISOLATE]: [[], "u64"],
  [GET_LOOP]: [["u64"], "u64"],
  [ADD_HOOK]: [["u64", "u64", "u64"], "void"],
  [REMOVE_HOOK]: [["u64", "u64", "u64"], "void"],
} as const;

/** `UV_POLL` of `uv_handle_type`, and `UV_READABLE` of `uv_poll_event`. */
const UV_POLL = 8;
const UV_READABLE = 1;

interface Loop {
  readonly c: { readonly [K in keyof typeof TABLE]: RawFunction };
  readonly isolate: unknown;
  readonly loop: unknown;
}

let opened: Loop | undefined;

function open(node: ProcessSymbols): Loop {
  const bound: Record<string, RawFunction> = {};
  for (const [name, [parameters, result]] of Object.entries(TABLE)) {
    try {
      bound[name] = node.getFunction(name, { arguments: [...parameters], return: result });
    } catch (cause) {
      throw new NativeUnavailableError("watch a descriptor", `Node does not export ${name}`, { cause });
    }
  }
  const c = bound as Loop["c"];
  const isolate = c[GET_ISOLATE]();
  return { c, isolate, loop: c[GET_LOOP](isolate) };
}

/**
 * Watches a descriptor, and closes it with the watch: or gives -errno. `closing` is a function of C that does so with the
 * handle of libuv, whose data the descriptor is.
 */
export function watchOnLoop(
  node: ProcessSymbols,
  descriptor: number,
  fire: () => void,
  closing: bigint,
): RawWatch | number {
  const { c, isolate, loop } = opened ??= open(node);
  const handle = c.calloc(1n, c.uv_handle_size(UV_POLL));
  const failure = Number(c.uv_poll_init(loop, handle, descriptor));
  if (failure !== 0) {
    c.free(handle);
    return failure;
  }
  c.uv_handle_set_data(handle, BigInt(descriptor));
  c[ADD_HOOK](isolate, closing, handle);
  let isArmed = false;
  let turn: NodeJS.Immediate | undefined;
  function deliver(): void {
    turn = undefined;
    isArmed = false;
    fire();
  }
  const told = node.registerCallback({ arguments: ["u64", "i32", "i32"], return: "void" }, () => {
    c.uv_poll_stop(handle);
    // The loop calls outside of any turn of JavaScript's: nobody would run the microtasks.
    turn = setImmediate(deliver);
  });
  function disarm(): void {
    if (!isArmed) return;
    isArmed = false;
    if (turn !== undefined) clearImmediate(turn);
    turn = undefined;
    c.uv_poll_stop(handle);
  }
  return {
    arm() {
      if (isArmed) return 0;
      const result = Number(c.uv_poll_start(handle, UV_READABLE, told));
      isArmed = result === 0;
      return result;
    },
    disarm,
    ref: () => void c.uv_ref(handle),
    unref: () => void c.uv_unref(handle),
    close() {
      disarm();
      c[REMOVE_HOOK](isolate, closing, handle);
      c.uv_close(handle, node.getSymbol("free"));
      c.close(descriptor);
      node.unregisterCallback(told);
    },
  };
}
