/**
 * A shared library of C functions that call back, built by gcc where it is installed.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unlessInstalled } from "../skip.ts";

const SOURCE = `
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef int (*callback)(int);

int call_once(callback f, int x) { return f(x); }
int call_twice(callback f, int x) { int first = f(x); return 1000 * first + f(x + 1); }

struct job { callback f; int x, result; useconds_t delay; };
static void *run(void *p) {
  struct job *job = p;
  usleep(job->delay);
  job->result = job->f(job->x);
  return 0;
}
int call_from_thread(callback f, int x) {
  struct job job = { f, x, -77, 0 };
  pthread_t thread;
  if (pthread_create(&thread, 0, run, &job) != 0) return -1;
  pthread_join(thread, 0);
  return job.result;
}
static struct job late;
static pthread_t late_thread;
int start_thread(callback f, int x, int delay) {
  late = (struct job){ f, x, -77, delay };
  return pthread_create(&late_thread, 0, run, &late);
}
int join_thread(void) { pthread_join(late_thread, 0); return late.result; }

int give_all(int (*f)(int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t, uint64_t, float, double,
                      bool, const void *, const char *), bool lowest) {
  return lowest
    ? f(INT8_MIN, 0, INT16_MIN, 0, INT32_MIN, 0, INT64_MIN, 0, -0.0f, -0.0, false, 0, 0)
    : f(INT8_MAX, UINT8_MAX, INT16_MAX, UINT16_MAX, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX, 0.1f, 0.1, true,
        &late, "Jochbogen \\xe7\\x89\\x9b");
}
const void *late_address(void) { return &late; }

int8_t take_i8(int8_t (*f)(void)) { return f(); }
uint8_t take_u8(uint8_t (*f)(void)) { return f(); }
int16_t take_i16(int16_t (*f)(void)) { return f(); }
uint16_t take_u16(uint16_t (*f)(void)) { return f(); }
int32_t take_i32(int32_t (*f)(void)) { return f(); }
uint32_t take_u32(uint32_t (*f)(void)) { return f(); }
int64_t take_i64(int64_t (*f)(void)) { return f(); }
uint64_t take_u64(uint64_t (*f)(void)) { return f(); }
float take_f32(float (*f)(void)) { return f(); }
double take_f64(double (*f)(void)) { return f(); }
bool take_bool(bool (*f)(void)) { return f(); }
void *take_pointer(void *(*f)(void)) { return f(); }

/** With an argument where a floating-point result will be. */
double pass_f64(double x, double (*f)(void)) { return f(); }
float pass_f32(float x, float (*f)(void)) { return f(); }

static callback kept;
void keep(callback f) { kept = f; }
int call_kept(int x) { return kept(x); }
static void tell(void) { dprintf(1, "at exit: %d\\n", kept(1)); }
int call_at_exit(callback f) { kept = f; return atexit(tell); }

static volatile int ended;
static pthread_key_t key;
static void end(void *f) {
  dprintf(1, "at the thread's end: %d\\n", ((callback)f)(1));
  ended = 1;
}
int call_at_thread_end(callback f) { return pthread_key_create(&key, end) || pthread_setspecific(key, f); }
int has_ended(void) { return ended; }

/** Reads the bytes after it has called back. */
long sum_after(callback f, const unsigned char *bytes, long length) {
  f(0);
  long sum = 0;
  for (long i = 0; i < length; i++) sum += bytes[i];
  return sum;
}
`;

/** Skips what needs the library. */
export const withoutGcc: string | false = unlessInstalled("gcc");

/** The built library: dispose it after the tests. */
export interface CLibrary extends Disposable {
  readonly path: string;
}

/** Builds the library, with more flags where they are given. Throws what the compiler says. */
export function buildLibrary(...more: string[]): CLibrary {
  const folder = mkdtempSync(join(tmpdir(), "oxbow-c-"));
  const path = join(folder, "liboxbow-test.so");
  writeFileSync(join(folder, "a.c"), SOURCE);
  const flags = ["-shared", "-fPIC", "-O1", "-pthread", ...more, "-o", path, join(folder, "a.c")];
  const { status, stderr } = spawnSync("gcc", flags, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}
