/* Starts /bin/true argv[1] times by posix_spawn(3), waits for each by its pidfd: microseconds of CPU
 * and of time each. */
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 1;
  char *args[] = {"true", NULL};
  double start = now();
  for (int i = 0; i < count; i++) {
    pid_t pid;
    if (posix_spawn(&pid, "/bin/true", NULL, NULL, args, environ) != 0) return 1;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    if (fd < 0 || poll(&watched, 1, -1) != 1) return 1;
    siginfo_t info;
    if (waitid(P_PIDFD, (id_t)fd, &info, WEXITED) != 0 || info.si_status != 0) return 1;
    close(fd);
  }
  double taken = now() - start;
  struct rusage own;
  getrusage(RUSAGE_SELF, &own);
  double cpu = (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1e6 +
               (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec);
  printf("%f %f\n", cpu / count, taken / count);
  return 0;
}
