/* The floor under an echo server: one thread, edge-triggered epoll, and one buffer for all connections. What the
 * kernel does not take back is kept by its connection, which reads nothing more until it is sent; so nothing is
 * lost where a client sends its last byte before it reads the first.
 *
 *     echo_epoll
 *
 * Listens on a port of 127.0.0.1 that the kernel chooses, prints it, and ends when its stdin does. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 65536, MAX_EVENTS = 256 };

struct connection {
    int fd;
    /* What has still to be sent: `owed` bytes from `rest + sent`. */
    char *rest;
    size_t sent, owed;
};

/* Stand in an event's tag for the two descriptors that are no connection. */
static char listener_tag, stdin_tag;

static char bytes[BUFFER_BYTES];

static void watch(int epoll, int fd, uint32_t events, void *tag) {
    struct epoll_event event = {.events = events, .data.ptr = tag};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) && errno != EPERM) err(1, "epoll_ctl");
}

static int listen_on_loopback(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) err(1, "socket");
    /* Connections inherit it. */
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int))) err(1, "setsockopt");
    if (bind(fd, (struct sockaddr *)&address, length) || listen(fd, SOMAXCONN)) err(1, "listen");
    if (getsockname(fd, (struct sockaddr *)&address, &length)) err(1, "getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void accept_all(int epoll, int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct connection *connection = calloc(1, sizeof *connection);
        if (!connection) err(1, "calloc");
        connection->fd = fd;
        watch(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, connection);
    }
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

/* Does all that can be done without waiting: an edge is told once. False where the connection is over. */
static bool echo(struct connection *connection, uint32_t events) {
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
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) err(1, "epoll_create1");
    int listener = listen_on_loopback();
    watch(epoll, listener, EPOLLIN | EPOLLET, &listener_tag);
    watch(epoll, STDIN_FILENO, EPOLLIN | EPOLLRDHUP, &stdin_tag);
    for (;;) {
        struct epoll_event events[MAX_EVENTS];
        int count = epoll_wait(epoll, events, MAX_EVENTS, -1);
        if (count < 0 && errno != EINTR) err(1, "epoll_wait");
        for (int i = 0; i < count; i++) {
            void *tag = events[i].data.ptr;
            struct connection *connection = tag;
            if (tag == &stdin_tag) return 0;
            if (tag == &listener_tag) {
                accept_all(epoll, listener);
            } else if (!echo(connection, events[i].events)) {
                close(connection->fd);
                free(connection->rest);
                free(connection);
            }
        }
    }
}
