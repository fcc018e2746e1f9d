/* The floor under an echo server: one thread, edge-triggered epoll, and one buffer for all connections. What the
 * kernel does not take back is kept by its connection, which reads nothing more until it is sent; so nothing is
 * lost where a client sends its last byte before it reads the first.
 *
 *     echo_epoll
 *
 * Listens on a port of 127.0.0.1 that the kernel chooses, prints it, and ends when its stdin does. */
#include "epoll_server.h"

#include <string.h>

enum { BUFFER_BYTES = 65536 };

struct connection {
    int fd;
    /* What has still to be sent: `owed` bytes from `rest + sent`. */
    char *rest;
    size_t sent, owed;
};

static char bytes[BUFFER_BYTES];

static struct connection *open_connection(int fd) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) err(1, "calloc");
    connection->fd = fd;
    return connection;
}

static void close_connection(struct connection *connection) {
    close(connection->fd);
    free(connection->rest);
    free(connection);
}

/* Sends what is kept. False where the connection is over. */
static bool pay(struct connection *connection) {
    while (connection->owed > 0) {
        ssize_t count = send(connection->fd, connection->rest + connection->sent, connection->owed, MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN;
        connection->sent += count;
        connection->owed -= count;
    }
    free(connection->rest);
    connection->rest = NULL;
    return true;
}

static void keep(struct connection *connection, const char *rest, size_t length) {
    connection->rest = malloc(length);
    if (!connection->rest) err(1, "malloc");
    memcpy(connection->rest, rest, length);
    connection->sent = 0;
    connection->owed = length;
}

static bool advance(struct connection *connection, uint32_t events) {
    if (connection->owed > 0) {
        if (!pay(connection)) return false;
        if (connection->owed > 0) return true;
        /* What has come meanwhile, and maybe the end, were told before. */
        events |= EPOLLIN | EPOLLRDHUP;
    }
    while (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        ssize_t count = recv(connection->fd, bytes, BUFFER_BYTES, 0);
        if (count == 0) return false;
        if (count < 0) return errno == EAGAIN;
        ssize_t sent = send(connection->fd, bytes, count, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return false;
        if (sent < 0) sent = 0;
        if (sent < count) {
            keep(connection, bytes + sent, count - sent);
            return true;
        }
        /* A short read has emptied the socket; what comes later is another edge. The end is none. */
        if (count < BUFFER_BYTES && !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) return true;
    }
    return true;
}

int main(void) {
    return run_server(true, 1);
}
