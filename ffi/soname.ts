/** libc under glibc's name and under musl's. */
export const LIBC: readonly string[] = ["libc.so.6", "libc.musl-x86_64.so.1"];
