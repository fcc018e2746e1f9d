/* Multiplies query vectors with the rows of a matrix, row-major float32, with a BLAS that it opens as an FFI
 * does: scores[q][row] = queries[q] . matrix[row].
 *
 *     query_product openblas LIBRARY ROWS DIMS QUERIES TIMES
 *     query_product mkl LIBRARY ROWS DIMS QUERIES TIMES THREADING_LAYER
 *
 * Threads are as many as the library likes. One query goes by cblas_sgemm and by cblas_sgemv, turn about,
 * and the faster counts. Prints the median nanoseconds of a product. A wrong one ends it with status 1. */
#include <dlfcn.h>
#include <err.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROW_MAJOR = 101, NO_TRANS = 111, TRANS = 112, GNU_LAYER = 3, LP64 = 0 };

typedef void sgemm(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
typedef void sgemv(int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
typedef int set(int);

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

static void *open_mkl(const char *path, int layer) {
    if (layer == GNU_LAYER) open_library("libgomp.so.1", RTLD_GLOBAL);
    void *library = open_library(path, RTLD_LOCAL);
    ((set *)symbol(library, "MKL_Set_Interface_Layer"))(LP64);
    ((set *)symbol(library, "MKL_Set_Threading_Layer"))(layer);
    return library;
}

static float *random_values(size_t count) {
    static unsigned state = 1;
    float *values = aligned_alloc(64, (count * sizeof *values + 63) / 64 * 64);
    if (!values) err(1, "aligned_alloc");
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223;
        values[i] = (int)(state >> 29) - 4;
    }
    return values;
}

static double median(double *times, int count) {
    qsort(times, count, sizeof *times, ascending);
    return times[count / 2];
}

int main(int argc, char **argv) {
    int is_mkl = argc == 8 && !strcmp(argv[1], "mkl");
    if (!is_mkl && (argc != 7 || strcmp(argv[1], "openblas")))
        errx(2, "usage: %s openblas|mkl LIBRARY ROWS DIMS QUERIES TIMES [THREADING_LAYER]", argv[0]);
    void *library = is_mkl ? open_mkl(argv[2], atoi(argv[7])) : open_library(argv[2], RTLD_LOCAL);
    sgemm *gemm = symbol(library, "cblas_sgemm");
    sgemv *gemv = symbol(library, "cblas_sgemv");
    int rows = atoi(argv[3]), dims = atoi(argv[4]), queries = atoi(argv[5]), times = atoi(argv[6]);
    float *matrix = random_values((size_t)rows * dims), *vectors = random_values((size_t)queries * dims);
    float *scores = random_values((size_t)queries * rows);
    double *by_gemm = calloc(times, sizeof *by_gemm), *by_gemv = calloc(times, sizeof *by_gemv);
    for (int i = -1; i < times; i++) {
        double start = now_ns();
        gemm(ROW_MAJOR, NO_TRANS, TRANS, queries, rows, dims, 1, vectors, dims, matrix, dims, 0, scores, rows);
        if (i >= 0) by_gemm[i] = now_ns() - start;
        if (queries > 1) continue;
        start = now_ns();
        gemv(ROW_MAJOR, NO_TRANS, rows, dims, 1, matrix, dims, vectors, 1, 0, scores, 1);
        if (i >= 0) by_gemv[i] = now_ns() - start;
    }
    for (int at = 0; at < rows; at += 1 + rows / 100) {
        float sum = 0;
        for (int i = 0; i < dims; i++) sum += vectors[i] * matrix[(size_t)at * dims + i];
        if (scores[at] != sum) errx(1, "%s gave a wrong product", argv[2]);
    }
    double best = median(by_gemm, times);
    printf("%.0f\n", queries > 1 ? best : fmin(best, median(by_gemv, times)));
}
