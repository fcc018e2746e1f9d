/**
 * Where a shared library is looked for, besides where the system's loader looks. Asks Deno for nothing: a
 * variable that may not be read counts as unset, and a folder is not searched but its paths are tried.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { dlopen, type Library } from "./dlopen.ts";
import { host, hostName } from "./host.ts";
import type { SymbolTable } from "./types.ts";

/** The environment's value, or undefined where it is unset, empty, or Deno does not let it be read. */
export function environment(variable: string): string | undefined {
  if (hostName === "deno" && Deno.permissions.querySync({ name: "env", variable }).state !== "granted") {
    return undefined;
  }
  return process.env[variable] || undefined;
}

/** `folders` below a root that may be unknown: empty where it is. */
export function below(root: string | undefined, ...folders: string[]): string[] {
  return root === undefined ? [] : folders.map((folder) => `${root}/${folder}`);
}

/** The folder `path` of the project that this file lies in; empty where it was not loaded from a disk. */
export function ofProject(path: string): string[] {
  const url = new URL(`../${path}`, import.meta.url);
  return url.protocol === "file:" ? [fileURLToPath(url)] : [];
}

/**
 * What to try for `names`, in order: the folders of `$OXBOW_LIBRARY_PATH`, the names as the loader finds
 * them, and `folders`.
 */
export function candidates(names: readonly string[], folders: readonly string[]): string[] {
  const asked = (environment("OXBOW_LIBRARY_PATH") ?? "").split(":").filter((folder) => folder !== "");
  const within = (folder: string): string[] => names.map((name) => `${folder}/${name}`);
  return [...asked.flatMap(within), ...names, ...folders.flatMap(within)];
}

/** Opens the first candidate that loads. Throws as `dlopen` does, and never asks the user for a permission. */
export function openCandidate<const T extends SymbolTable>(
  names: readonly string[],
  folders: readonly string[],
  table: T,
): Library<T> {
  const denied = host.denied();
  if (denied !== undefined) throw new Error(`cannot open ${names[0]}: ${denied}`);
  return dlopen(candidates(names, folders), table);
}
