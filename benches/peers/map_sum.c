/* Maps a file of float32 and adds it up in four sums of double precision.
 *
 *     map_sum FILE anew|before REPETITIONS
 *
 * "anew" maps the file for each pass, "before" once before all of them. Prints the median nanoseconds of a
 * pass and the sum. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static const float *map(const char *path, size_t *count) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status)) err(1, "%s", path);
    const float *values = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (values == MAP_FAILED) err(1, "mmap %s", path);
    close(fd);
    *count = status.st_size / sizeof *values;
    return values;
}

static double sum_of(const float *values, size_t count) {
    double a = 0, b = 0, c = 0, d = 0;
    for (size_t i = 0; i + 3 < count; i += 4) {
        a += values[i];
        b += values[i + 1];
        c += values[i + 2];
        d += values[i + 3];
    }
    return a + b + c + d;
}

int main(int argc, char **argv) {
    if (argc != 4) errx(2, "usage: %s FILE anew|before REPETITIONS", argv[0]);
    int anew = !strcmp(argv[2], "anew"), repetitions = atoi(argv[3]);
    double *times = calloc(repetitions, sizeof *times), total = 0;
    if (repetitions < 1 || !times) errx(2, "cannot repeat %s times", argv[3]);
    size_t count;
    const float *values = map(argv[1], &count);
    total = sum_of(values, count);
    for (int i = 0; i < repetitions; i++) {
        double start = now_ns();
        if (anew) munmap((void *)values, count * sizeof *values), values = map(argv[1], &count);
        total = sum_of(values, count);
        times[i] = now_ns() - start;
    }
    qsort(times, repetitions, sizeof *times, ascending);
    printf("%.0f %.17g\n", times[repetitions / 2], total);
}
