import { readFileSync } from "node:fs";
import { hostName } from "./host.ts";

const PATH = "/proc/cpuinfo";
const AVX512 = ["avx512f", "avx512bw", "avx512dq", "avx512vl"];

/** What the kernel says of the processors; empty where it may not, or cannot, be read. */
export function cpuinfo(): string {
  if (
    hostName === "deno" && Deno.permissions.querySync({ name: "read", path: PATH }).state !== "granted"
  ) {
    return "";
  }
  try {
    return readFileSync(PATH, "utf8");
  } catch {
    return "";
  }
}

/** What a processor of `info` can do, by the kernel's names. */
export function flagsOf(info: string): ReadonlySet<string> {
  return new Set(/^flags\s*:(.*)$/m.exec(info)?.[1].split(" "));
}

/** Whether it has the parts of AVX-512 that kernels of products use. */
export function hasAvx512(info: string): boolean {
  const flags = flagsOf(info);
  return AVX512.every((flag) => flags.has(flag));
}

/** Whether AMD made it. */
export function isAmd(info: string): boolean {
  return /^vendor_id\s*:\s*AuthenticAMD$/m.test(info);
}
