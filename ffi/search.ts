/**
 * Where a shared library is looked for, and in what order. Asks Deno for nothing: a variable that may not be
 * read counts as unset, and in a folder that may not be read the very names are tried.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { environment } from "./environment.ts";
import { hostName } from "./host.ts";

/** A path to try, or a name for the system's loader. */
export interface Candidate {
  readonly path: string;
  /** Why it is tried: the variable or the installation that it comes from. */
  readonly place: string;
}

interface Place {
  readonly name: string;
  readonly folders: readonly string[];
}

const MULTIARCH = "/usr/lib/x86_64-linux-gnu";
const FLAVOURS = ["pthread", "openmp", "serial"];

function below(root: string | undefined, ...folders: string[]): string[] {
  return root === undefined ? [] : folders.map((folder) => `${root}/${folder}`);
}

/** The folder `path` of the project that this file lies in; none where it was not loaded from a disk. */
function ofProject(path: string): string[] {
  const url = new URL(`../${path}`, import.meta.url);
  return url.protocol === "file:" ? [fileURLToPath(url)] : [];
}

function places(): Place[] {
  const oneApi = environment("ONEAPI_ROOT") ?? "/opt/intel/oneapi";
  const multiarch = ["openblas", "blis"].flatMap((library) =>
    FLAVOURS.map((flavour) => `${MULTIARCH}/${library}-${flavour}`)
  );
  return [
    { name: "$MKLROOT", folders: below(environment("MKLROOT"), "lib", "lib/intel64") },
    { name: "oneAPI", folders: below(`${oneApi}/mkl/latest`, "lib", "lib/intel64") },
    { name: "$CONDA_PREFIX", folders: below(environment("CONDA_PREFIX"), "lib") },
    { name: "$VIRTUAL_ENV", folders: below(environment("VIRTUAL_ENV"), "lib") },
    { name: "the project's .build", folders: ofProject(".build/mkl/lib") },
    { name: "Debian's multiarch", folders: [...multiarch, MULTIARCH] },
  ];
}

/** What is in the folder; undefined where that cannot be known. */
function contentsOf(folder: string): string[] | undefined {
  const permission = { name: "read", path: folder } as const;
  if (hostName === "deno" && Deno.permissions.querySync(permission).state !== "granted") return undefined;
  try {
    // Deno takes 10 ms to load what no soname needs.
    return process.getBuiltinModule("node:fs").readdirSync(folder);
  } catch {
    return [];
  }
}

/** The versions of an unversioned name (`libz.so.1` of `libz.so`) that are among the files, the newest first. */
function versionsOf(name: string, files: readonly string[]): string[] {
  if (!name.endsWith(".so")) return [];
  const numbers = (file: string): number[] => file.slice(name.length + 1).split(".").map(Number);
  return files
    .filter((file) => file.startsWith(`${name}.`) && numbers(file).every(Number.isInteger))
    .sort((a, b) => {
      const [first, second] = [numbers(a), numbers(b)];
      const i = first.findIndex((number, i) => number !== second[i]);
      return i === -1 ? 1 : (second[i] ?? -1) - first[i];
    });
}

function* within(folder: string, names: readonly string[], place: string): Generator<Candidate> {
  const files = contentsOf(folder);
  for (const name of names) {
    if (files === undefined || files.includes(name)) yield { path: `${folder}/${name}`, place };
    for (const version of versionsOf(name, files ?? [])) yield { path: `${folder}/${version}`, place };
  }
}

/**
 * What to try for `names`, in order: the folders of `$OXBOW_LIBRARY_PATH`, which is there to overrule the
 * rest; the names as the system's loader finds them; and where libraries really live that it does not know.
 * A path is tried as it is.
 */
export function* search(names: readonly string[]): Generator<Candidate> {
  const bare = names.filter((name) => !name.includes("/"));
  for (
    const folder of (environment("OXBOW_LIBRARY_PATH") ?? "").split(":").filter((folder) => folder !== "")
  ) {
    const place = "$OXBOW_LIBRARY_PATH";
    const found = [...within(folder, bare, place)];
    // Asked for by name: where it is missing, the error shall say so.
    yield* found.length > 0 ? found : bare.map((name) => ({ path: `${folder}/${name}`, place }));
  }
  for (const path of names) {
    yield { path, place: path.includes("/") ? "the path itself" : "the system's loader" };
  }
  for (const { name, folders } of places()) {
    for (const folder of folders) yield* within(folder, bare, name);
  }
}
