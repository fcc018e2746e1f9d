/* The floor under an HTTP/1.1 server: edge-triggered epoll on one thread or several, and nothing between the socket and
 * the answer. Every request, however its bytes arrive, is taken to end at its blank line, and is answered
 * with "hello"; connections stay open.
 *
 *     http_epoll [THREADS]
 *
 * Listens on a port of 127.0.0.1 that the kernel chooses, prints it, and ends when its stdin does. */
#include "epoll_server.h"

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
#define FOUR(s) s s s s

/* Several answers in a row, so that pipelined requests leave in one call. */
static const char answers[] = FOUR(FOUR(ANSWER));
enum { ANSWER_LENGTH = sizeof ANSWER - 1, ANSWERS_LENGTH = sizeof answers - 1 };

struct connection {
    int fd;
    /* How many bytes of "\r\n\r\n" the input ends with. */
    int matched;
    /* Bytes of answers that are still to be written. */
    size_t owed;
};

static struct connection *open_connection(int fd) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) err(1, "calloc");
    connection->fd = fd;
    return connection;
}

static void close_connection(struct connection *connection) {
    close(connection->fd);
    free(connection);
}

/* How many requests end in these bytes. */
static size_t requests_in(struct connection *connection, const char *bytes, size_t length) {
    static const char blank_line[] = "\r\n\r\n";
    size_t requests = 0;
    int matched = connection->matched;
    for (size_t i = 0; i < length; i++) {
        matched = bytes[i] == blank_line[matched] ? matched + 1 : bytes[i] == '\r';
        if (matched == 4) requests++, matched = 0;
    }
    connection->matched = matched;
    return requests;
}

/* Writes what is owed. False where the connection is over. */
static bool pay(struct connection *connection) {
    while (connection->owed > 0) {
        size_t written = (ANSWER_LENGTH - connection->owed % ANSWER_LENGTH) % ANSWER_LENGTH;
        size_t rest = ANSWERS_LENGTH - written;
        size_t length = connection->owed < rest ? connection->owed : rest;
        ssize_t count = send(connection->fd, answers + written, length, MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN;
        connection->owed -= count;
    }
    return true;
}

static bool advance(struct connection *connection, uint32_t events) {
    static _Thread_local char bytes[16384];
    for (;;) {
        if (!pay(connection)) return false;
        if (connection->owed > 0) return true;
        ssize_t count = recv(connection->fd, bytes, sizeof bytes, 0);
        if (count == 0) return false;
        if (count < 0) return errno == EAGAIN;
        connection->owed += requests_in(connection, bytes, count) * ANSWER_LENGTH;
        /* A short read has emptied the socket; what comes later is another edge. The end is none. */
        bool emptied = (size_t)count < sizeof bytes && !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
        if (emptied) return pay(connection);
    }
}

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    if (threads < 1) errx(2, "usage: http_epoll [THREADS]");
    return run_server(false, threads);
}
