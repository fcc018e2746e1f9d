/* The floor under an HTTP/1.1 server: one thread, edge-triggered epoll, and nothing between the socket and
 * the answer. Every request, however its bytes arrive, is taken to end at its blank line, and is answered
 * with "hello"; connections stay open.
 *
 *     http_epoll
 *
 * Listens on a port of 127.0.0.1 that the kernel chooses, prints it, and ends when its stdin does. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
#define FOUR(s) s s s s

/* Several answers in a row, so that pipelined requests leave in one call. */
static const char answers[] = FOUR(FOUR(ANSWER));
enum { ANSWER_LENGTH = sizeof ANSWER - 1, ANSWERS_LENGTH = sizeof answers - 1, MAX_EVENTS = 256 };

struct connection {
    int fd;
    /* How many bytes of "\r\n\r\n" the input ends with. */
    int matched;
    /* Bytes of answers that are still to be written. */
    size_t owed;
};

/* Stand in an event's tag for the two descriptors that are no connection. */
static char listener_tag, stdin_tag;

static void watch(int epoll, int fd, uint32_t events, void *tag) {
    struct epoll_event event = {.events = events, .data.ptr = tag};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) && errno != EPERM) err(1, "epoll_ctl");
}

static int listen_on_loopback(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) err(1, "socket");
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

/* Does all that can be done without waiting: an edge is told once. False where the connection is over. */
static bool serve(struct connection *connection, uint32_t events) {
    static char bytes[16384];
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
            } else if (!serve(connection, events[i].events)) {
                close(connection->fd);
                free(connection);
            }
        }
    }
}
