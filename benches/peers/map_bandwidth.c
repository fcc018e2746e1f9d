/* Maps a file of float32 and adds it up as fast as memory gives it: blocks in single precision, which gcc
 * vectorises with -O3 -march=native -ffast-math, and the blocks in double precision.
 *
 *     map_bandwidth FILE REPETITIONS
 *
 * Prints the median nanoseconds of a pass and the sum. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096 };

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double sum_of(const float *values, size_t count) {
    double total = 0;
    for (size_t from = 0; from < count; from += BLOCK) {
        size_t to = count - from < BLOCK ? count : from + BLOCK;
        float sum = 0;
        for (size_t i = from; i < to; i++) sum += values[i];
        total += sum;
    }
    return total;
}

int main(int argc, char **argv) {
    if (argc != 3) errx(2, "usage: %s FILE REPETITIONS", argv[0]);
    int repetitions = atoi(argv[2]), fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    double *times = calloc(repetitions, sizeof *times), total = 0;
    if (repetitions < 1 || !times) errx(2, "cannot repeat %s times", argv[2]);
    struct stat status;
    if (fd < 0 || fstat(fd, &status)) err(1, "%s", argv[1]);
    const float *values = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (values == MAP_FAILED) err(1, "mmap %s", argv[1]);
    size_t count = status.st_size / sizeof *values;
    sum_of(values, count);
    for (int i = 0; i < repetitions; i++) {
        double start = now_ns();
        total = sum_of(values, count);
        times[i] = now_ns() - start;
    }
    qsort(times, repetitions, sizeof *times, ascending);
    printf("%.0f %.17g\n", times[repetitions / 2], total);
}
