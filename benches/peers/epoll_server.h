/* The loop of a server: edge-triggered epoll, and a listener on a port of 127.0.0.1 that the kernel chooses. It prints
 * the port, and ends when its stdin does. Several threads have a loop and a listener each, among which the kernel
 * shares connections out by SO_REUSEPORT.
 *
 * Who includes it says what a connection is and what to do at its edges, in functions that are known where they are
 * called. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_EVENTS = 256 };

struct connection;
static struct connection *open_connection(int fd);
/* Does all that can be done without waiting: an edge is told once. False where the connection is over. */
static bool advance(struct connection *connection, uint32_t events);
static void close_connection(struct connection *connection);

/* Stand in an event's tag for the two descriptors that are no connection. */
static char listener_tag, stdin_tag;

static void watch(int epoll, int fd, uint32_t events, void *tag) {
    struct epoll_event event = {.events = events, .data.ptr = tag};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) && errno != EPERM) err(1, "epoll_ctl");
}

/* On `*port`; where that is 0, the kernel says what it becomes. */
static int listen_on_loopback(bool no_delay, bool shared, in_port_t *port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = *port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) err(1, "socket");
    /* Connections inherit it. */
    if (no_delay && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int))) err(1, "setsockopt");
    if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int))) err(1, "setsockopt");
    if (bind(fd, (struct sockaddr *)&address, length) || listen(fd, SOMAXCONN)) err(1, "listen");
    if (getsockname(fd, (struct sockaddr *)&address, &length)) err(1, "getsockname");
    *port = address.sin_port;
    return fd;
}

static void accept_all(int epoll, int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        watch(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, open_connection(fd));
    }
}

/* Serves until stdin ends. */
static void *serve_listener(void *argument) {
    int listener = *(int *)argument;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) err(1, "epoll_create1");
    watch(epoll, listener, EPOLLIN | EPOLLET, &listener_tag);
    watch(epoll, STDIN_FILENO, EPOLLIN | EPOLLRDHUP, &stdin_tag);
    for (;;) {
        struct epoll_event events[MAX_EVENTS];
        int count = epoll_wait(epoll, events, MAX_EVENTS, -1);
        if (count < 0 && errno != EINTR) err(1, "epoll_wait");
        for (int i = 0; i < count; i++) {
            void *tag = events[i].data.ptr;
            if (tag == &stdin_tag) exit(0);
            if (tag == &listener_tag) accept_all(epoll, listener);
            else if (!advance(tag, events[i].events)) close_connection(tag);
        }
    }
}

/* `no_delay` has small writes leave at once. */
static int run_server(bool no_delay, int threads) {
    in_port_t port = 0;
    int *listeners = calloc(threads, sizeof *listeners);
    if (!listeners) err(1, "calloc");
    for (int i = 0; i < threads; i++) listeners[i] = listen_on_loopback(no_delay, threads > 1, &port);
    printf("%d\n", ntohs(port));
    fflush(stdout);
    for (int i = 1; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve_listener, &listeners[i])) errx(1, "pthread_create");
    }
    serve_listener(&listeners[0]);
    return 0;
}
