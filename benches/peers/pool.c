/*
 * What two threads of C do that a pool of workers does, and no more:
 *
 *     pool asleep|awake TRIPS PAUSE_US      round trips through a word: microseconds of half of them, and of 99 in 100
 *     pool sum|primes THREADS COUNT         milliseconds of the shortest pass, each thread with an equal share
 *
 * `asleep`: both sides sleep in FUTEX_WAIT whenever they wait; `awake`: both spin. Before each trip but the
 * first, which are not counted, the caller spins for PAUSE_US microseconds, in which the other side falls asleep. `sum` adds COUNT numbers in memory, each a double;
 * `primes` counts the primes below COUNT by trial division.
 */
#define _GNU_SOURCE
#include <err.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WARM_UP = 200, MOST_THREADS = 64, PASSES = 5 };

/* Each side's word in a line of its own: how many requests there were, and how many answers. */
static _Alignas(128) atomic_uint asked;
static _Alignas(128) atomic_uint answered;
static bool sleeps;
static unsigned all;

static double microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void give(atomic_uint *word, unsigned value) {
    atomic_store(word, value);
    if (sleeps) syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void await(atomic_uint *word, unsigned value) {
    while (atomic_load(word) != value) {
        if (sleeps) syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value - 1, NULL, NULL, 0);
    }
}

static void *answer(void *_) {
    (void)_;
    for (unsigned i = 1; i <= all; i++) {
        await(&asked, i);
        give(&answered, i);
    }
    return NULL;
}

static int compare(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void trips(unsigned count, double pause) {
    pthread_t other;
    double *times = calloc(count, sizeof *times);
    if (!times) err(1, "calloc");
    all = WARM_UP + count;
    if (pthread_create(&other, NULL, answer, NULL)) errx(1, "pthread_create");
    for (unsigned i = 1; i <= all; i++) {
        double start = microseconds();
        while (i > WARM_UP && microseconds() - start < pause);
        start = microseconds();
        give(&asked, i);
        await(&answered, i);
        if (i > WARM_UP) times[i - WARM_UP - 1] = microseconds() - start;
    }
    pthread_join(other, NULL);
    qsort(times, count, sizeof *times, compare);
    printf("%f %f\n", times[count / 2], times[count * 99 / 100]);
}

enum { BLOCK = 1000 };

struct share {
    const double *numbers;
    size_t start, end;
    double result;
};

static void *sum(void *argument) {
    struct share *share = argument;
    double total = 0;
    for (size_t i = share->start; i < share->end; i++) total += share->numbers[i];
    share->result = total;
    return NULL;
}

static bool is_prime(unsigned n) {
    if (n < 2) return false;
    for (unsigned d = 2; d * d <= n; d++) {
        if (n % d == 0) return false;
    }
    return true;
}

/* A share is every so manieth block: so the shares are as much work as one another, with as many even numbers in each. */
static void *primes(void *argument) {
    struct share *share = argument;
    unsigned found = 0;
    size_t step = share->result;
    for (size_t block = share->start * BLOCK; block < share->end; block += step * BLOCK) {
        size_t end = block + BLOCK < share->end ? block + BLOCK : share->end;
        for (size_t i = block; i < end; i++) found += is_prime(i);
    }
    share->result = found;
    return NULL;
}

static double shared(const char *what, size_t threads, size_t count, const double *numbers, double expected) {
    pthread_t ids[MOST_THREADS];
    struct share shares[MOST_THREADS];
    bool sums = strcmp(what, "sum") == 0;
    double start = microseconds(), total = 0;
    for (size_t i = 0; i < threads; i++) {
        shares[i] = sums ? (struct share){numbers, count * i / threads, count * (i + 1) / threads, 0}
                         : (struct share){NULL, i, count, threads};
        if (pthread_create(&ids[i], NULL, sums ? sum : primes, &shares[i])) errx(1, "pthread_create");
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        total += shares[i].result;
    }
    double elapsed = microseconds() - start;
    if (expected >= 0 && total != expected) errx(1, "%s: %f, and %f is right", what, total, expected);
    return elapsed / 1e3;
}

static double *filled(size_t count) {
    double *numbers =
        mmap(NULL, count * sizeof *numbers, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (numbers == MAP_FAILED) err(1, "mmap");
    for (size_t i = 0; i < count; i++) numbers[i] = i & 7;
    return numbers;
}

static double sum_of(size_t count) {
    size_t rest = count & 7;
    return (count >> 3) * 28.0 + rest * (rest - 1) / 2.0;
}

int main(int argc, char **argv) {
    if (argc != 4) errx(2, "usage: pool asleep|awake|sum|primes NUMBER NUMBER");
    const char *what = argv[1];
    size_t first = strtoull(argv[2], NULL, 10), second = strtoull(argv[3], NULL, 10);
    bool sums = strcmp(what, "sum") == 0;
    if (sums || strcmp(what, "primes") == 0) {
        if (first < 1 || first > MOST_THREADS) errx(2, "%zu threads", first);
        const double *numbers = sums ? filled(second) : NULL;
        double least = shared(what, first, second, numbers, sums ? sum_of(second) : -1);
        for (int pass = 1; pass < PASSES; pass++) {
            double elapsed = shared(what, first, second, numbers, sums ? sum_of(second) : -1);
            if (elapsed < least) least = elapsed;
        }
        printf("%f\n", least);
        return 0;
    }
    sleeps = strcmp(what, "asleep") == 0;
    trips(first, second);
    return 0;
}
