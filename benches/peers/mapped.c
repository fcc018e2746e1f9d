/* Maps a file, and prints the nanoseconds of what it does, and its result.
 *
 *     mapped sum-before FILE REPETITIONS    adds up its float32, in a map made before
 *     mapped sum FILE REPETITIONS           the same, with the map made and unmapped each time
 *     mapped open FILE REPETITIONS          opens and maps it, reads its first byte, unmaps it
 *
 * The median of the sums, the mean of the openings. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct map {
    const void *bytes;
    size_t length;
};

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct map map(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status)) err(1, "%s", path);
    const void *bytes = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) err(1, "mmap %s", path);
    close(fd);
    return (struct map){bytes, status.st_size};
}

/* Four sums of double precision: one alone waits for its own additions, and hides the memory. */
static double sum_of(struct map map) {
    const float *values = map.bytes;
    size_t count = map.length / sizeof *values;
    double a = 0, b = 0, c = 0, d = 0;
    for (size_t i = 0; i + 3 < count; i += 4) {
        a += values[i];
        b += values[i + 1];
        c += values[i + 2];
        d += values[i + 3];
    }
    return a + b + c + d;
}

static double first_byte_of(struct map map) {
    return *(const volatile unsigned char *)map.bytes;
}

int main(int argc, char **argv) {
    if (argc != 4) errx(2, "usage: %s sum-before|sum|open FILE REPETITIONS", argv[0]);
    int before = !strcmp(argv[1], "sum-before"), opening = !strcmp(argv[1], "open");
    int repetitions = atoi(argv[3]);
    if (repetitions < 1) errx(2, "cannot repeat %s times", argv[3]);
    double *times = calloc(repetitions, sizeof *times), total = 0, result = 0;
    struct map kept = map(argv[2]);
    if (before) result = sum_of(kept);
    for (int i = 0; i < repetitions; i++) {
        double start = now_ns();
        struct map now = before ? kept : map(argv[2]);
        result = opening ? first_byte_of(now) : sum_of(now);
        if (!before) munmap((void *)now.bytes, now.length);
        times[i] = now_ns() - start;
        total += times[i];
    }
    qsort(times, repetitions, sizeof *times, ascending);
    printf("%.0f %.17g\n", opening ? total / repetitions : times[repetitions / 2], result);
}
