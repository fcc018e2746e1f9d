/*
 * Between two processes, by C alone: `pipe COUNT` round trips of 64 bytes over two pipes, in microseconds;
 * `free COUNT` and `contended COUNT` lock, add one and unlock a robust process-shared mutex, in nanoseconds.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared {
  pthread_mutex_t mutex;
  long count;
  atomic_int step;
};

static double nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void transfer(int from, int to, char *message) {
  if (read(from, message, 64) != 64) fail("read");
  if (write(to, message, 64) != 64) fail("write");
}

static double pipes(long count) {
  int there[2], back[2];
  char message[64] = {0};
  if (pipe(there) || pipe(back)) fail("pipe");
  if (fork() == 0) {
    for (long i = 0; i <= count; i++) transfer(there[0], back[1], message);
    _exit(0);
  }
  if (write(there[1], message, 64) != 64) fail("write");
  double start = 0;
  for (long i = 0; i < count; i++) {
    transfer(back[0], there[1], message);
    if (i == 0) start = nanoseconds();
  }
  if (read(back[0], message, 64) != 64) fail("read");
  double elapsed = nanoseconds() - start;
  wait(NULL);
  return elapsed / count / 1e3;
}

static struct shared *make(void) {
  struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) fail("mmap");
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  if (pthread_mutex_init(&shared->mutex, &attributes)) fail("pthread_mutex_init");
  return shared;
}

static void add(struct shared *shared, long count) {
  for (long i = 0; i < count; i++) {
    if (pthread_mutex_lock(&shared->mutex)) fail("pthread_mutex_lock");
    shared->count++;
    if (pthread_mutex_unlock(&shared->mutex)) fail("pthread_mutex_unlock");
  }
}

static double uncontended(long count) {
  struct shared *shared = make();
  double start = nanoseconds();
  add(shared, count);
  double elapsed = nanoseconds() - start;
  if (shared->count != count) fail("the count is wrong");
  return elapsed / count;
}

static double contended(long count) {
  struct shared *shared = make();
  if (fork() == 0) {
    shared->step = 1;
    while (shared->step != 2);
    add(shared, count);
    _exit(0);
  }
  while (shared->step != 1);
  double start = nanoseconds();
  shared->step = 2;
  add(shared, count);
  wait(NULL);
  double elapsed = nanoseconds() - start;
  if (shared->count != 2 * count) fail("the count is wrong");
  return elapsed / (2 * count);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  long count = atol(argv[2]);
  double figure = strcmp(argv[1], "pipe") == 0   ? pipes(count)
                  : strcmp(argv[1], "free") == 0 ? uncontended(count)
                                                 : contended(count);
  printf("%f\n", figure);
  return 0;
}
