import { fileURLToPath } from "node:url";
import { hostName } from "../../../../ffi/mod.ts";
import { shown } from "../../../io/arguments.ts";
import type { LeanHandler } from "../lean.ts";
import type { Handler, ServeOptions } from "../web_server.ts";

/** Where a handler is found. */
export interface HandlerName {
  readonly module: string;
  /** The export's name. */
  readonly export: string;
}

/** What a module exports: of which kind its handler is, who asks for it must know. */
export interface Loaded {
  readonly handler: Handler & LeanHandler;
  readonly onError?: ServeOptions["onError"];
}

function isHandler(value: unknown): value is Handler & LeanHandler {
  return typeof value === "function";
}

/** Bun drops the query of a `file:` URL, by which a module is imported once more, and not that of a path. */
function specifierOf(module: string): string {
  const url = new URL(module);
  if (hostName !== "bun" || url.protocol !== "file:" || url.search === "") return module;
  return fileURLToPath(url) + url.search;
}

/** The module itself. What one throws need be no error, and Bun's own errors of a module that is not there cannot be cloned. */
async function imported(module: string, what: string): Promise<object> {
  try {
    return await import(specifierOf(module));
  } catch (cause) {
    const message = cause instanceof Object && "message" in cause ? cause.message : cause;
    throw new Error(`${what} cannot be imported: ${message}`, cause instanceof Error ? { cause } : {});
  }
}

/**
 * Imports the module. Throws an `Error` with what that throws as its cause, and a `TypeError` where it has no such export, or one that is neither a
 * function nor has a method `fetch`.
 */
export async function loadHandler({ module, export: name }: HandlerName): Promise<Loaded> {
  const what = `cannot serve: ${module}`;
  const namespace = await imported(module, what);
  if (!Object.hasOwn(namespace, name)) {
    const names = Object.keys(namespace).join(", ");
    throw new TypeError(`${what} has no export ${shown(name)}, but ${names === "" ? "none" : names}`);
  }
  const value: unknown = Reflect.get(namespace, name);
  if (isHandler(value)) return { handler: value };
  const isObject = typeof value === "object" && value !== null;
  const fetch: unknown = isObject ? Reflect.get(value, "fetch") : undefined;
  if (!isObject || typeof fetch !== "function") {
    throw new TypeError(`${what}: its export ${shown(name)} is no function, and has no method fetch`);
  }
  const onError: unknown = Reflect.get(value, "onError");
  return {
    handler: (...given: readonly unknown[]) => Reflect.apply(fetch, value, given),
    onError: typeof onError === "function" ? (error) => Reflect.apply(onError, value, [error]) : undefined,
  };
}
