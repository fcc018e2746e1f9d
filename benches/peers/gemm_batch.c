/* Multiplies a batch of square float32 matrices, row-major, with a BLAS that it opens as an FFI does.
 *
 *     gemm_batch openblas LIBRARY N BATCH MILLISECONDS
 *     gemm_batch mkl LIBRARY N BATCH MILLISECONDS THREADING_LAYER
 *
 * OpenBLAS is called once for each product, MKL once for the batch, as one group; both on one thread. The
 * batch is repeated for so many milliseconds, five times at least. Prints the median nanoseconds of a batch.
 * Elements are small integers, so that the product is exact: a wrong one ends the program with status 1. */
#include <dlfcn.h>
#include <err.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROW_MAJOR = 101, NO_TRANS = 111, GNU_LAYER = 3, LP64 = 0, MOST_TIMES = 1 << 20 };

typedef void sgemm(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
typedef void sgemm_batch(int, const int *, const int *, const int *, const int *, const int *, const float *,
                         const float **, const int *, const float **, const int *, const float *, float **,
                         const int *, int, const int *);
typedef int set(int);

static sgemm *one;
static sgemm_batch *all;

struct batch {
    int n, count;
    const float **a, **b;
    float **c;
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

static void *symbol(void *library, const char *name) {
    void *address = dlsym(library, name);
    if (!address) errx(2, "%s", dlerror());
    return address;
}

static void *open_library(const char *path, int flags) {
    void *library = dlopen(path, RTLD_NOW | flags);
    if (!library) errx(2, "%s", dlerror());
    return library;
}

static void open_openblas(const char *path) {
    void *library = open_library(path, RTLD_LOCAL);
    ((void (*)(int))symbol(library, "openblas_set_num_threads"))(1);
    one = symbol(library, "cblas_sgemm");
}

static void open_mkl(const char *path, int layer) {
    if (layer == GNU_LAYER) open_library("libgomp.so.1", RTLD_GLOBAL);
    void *library = open_library(path, RTLD_LOCAL);
    ((set *)symbol(library, "MKL_Set_Interface_Layer"))(LP64);
    ((set *)symbol(library, "MKL_Set_Threading_Layer"))(layer);
    ((set *)symbol(library, "MKL_Set_Num_Threads_Local"))(1);
    all = symbol(library, "cblas_sgemm_batch");
}

static void *allocate(size_t count, size_t size) {
    void *memory = aligned_alloc(64, (count * size + 63) / 64 * 64);
    if (!memory) err(1, "aligned_alloc");
    return memory;
}

static float *random_matrices(size_t elements) {
    static unsigned state = 1;
    float *values = allocate(elements, sizeof *values);
    for (size_t i = 0; i < elements; i++) {
        state = state * 1664525 + 1013904223;
        values[i] = (int)(state >> 29) - 4;
    }
    return values;
}

static struct batch make(int n, int count) {
    struct batch batch = {n, count, allocate(count, sizeof(float *)), allocate(count, sizeof(float *)),
                          allocate(count, sizeof(float *))};
    size_t size = (size_t)n * n;
    float *a = random_matrices(count * size), *b = random_matrices(count * size);
    float *c = allocate(count * size, sizeof *c);
    for (size_t i = 0; i < count * size; i++) c[i] = NAN;
    for (int i = 0; i < count; i++) {
        batch.a[i] = a + i * size;
        batch.b[i] = b + i * size;
        batch.c[i] = c + i * size;
    }
    return batch;
}

static void multiply(struct batch *batch) {
    const int n = batch->n, count = batch->count, trans = NO_TRANS;
    const float alpha = 1, beta = 0;
    if (all) {
        all(ROW_MAJOR, &trans, &trans, &n, &n, &n, &alpha, batch->a, &n, batch->b, &n, &beta, batch->c, &n, 1, &count);
        return;
    }
    for (int i = 0; i < count; i++)
        one(ROW_MAJOR, trans, trans, n, n, n, alpha, batch->a[i], n, batch->b[i], n, beta, batch->c[i], n);
}

static bool is_right(const struct batch *batch) {
    const int n = batch->n;
    for (int p = 0; p < batch->count; p++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                float sum = 0;
                for (int k = 0; k < n; k++) sum += batch->a[p][i * n + k] * batch->b[p][k * n + j];
                if (batch->c[p][i * n + j] != sum) return false;
            }
    return true;
}

int main(int argc, char **argv) {
    bool is_mkl = argc == 7 && !strcmp(argv[1], "mkl");
    if (!is_mkl && (argc != 6 || strcmp(argv[1], "openblas")))
        errx(2, "usage: %s openblas|mkl LIBRARY N BATCH MILLISECONDS [THREADING_LAYER]", argv[0]);
    if (is_mkl) open_mkl(argv[2], atoi(argv[6]));
    else open_openblas(argv[2]);
    struct batch batch = make(atoi(argv[3]), atoi(argv[4]));
    double *times = allocate(MOST_TIMES, sizeof *times);
    int repetitions = 0;
    multiply(&batch);
    for (double end = now_ns() + atof(argv[5]) * 1e6; repetitions < MOST_TIMES;) {
        double start = now_ns();
        multiply(&batch);
        times[repetitions++] = now_ns() - start;
        if (now_ns() >= end && repetitions >= 5) break;
    }
    if (!is_right(&batch)) errx(1, "%s gave a wrong product", argv[2]);
    qsort(times, repetitions, sizeof *times, ascending);
    printf("%.0f\n", times[repetitions / 2]);
}
