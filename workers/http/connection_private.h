/* A connection, as connection.c and traffic.c share it. */
#ifndef BOOKFLOW_CONNECTION_PRIVATE_H
#define BOOKFLOW_CONNECTION_PRIVATE_H

#include <event2/bufferevent.h>
#include <event2/event.h>

#include "gate.h"
#include "server_private.h"

enum connection_phase {
    CONNECTION_NEW, /* just accepted: the library has not set the socket yet */
    CONNECTION_READING,
    CONNECTION_ANSWERING,
    CONNECTION_STREAMING,
    CONNECTION_CLOSING /* the refusal is being answered */
};

struct connection {
    unsigned magic;
    struct http_server *server; /* NULL: detached */
    struct bufferevent *outer;  /* the library's end */
    struct bufferevent *holder; /* below it; only holds the socket */
    enum connection_phase phase;
    int fd;
    struct event *readable;
    struct event *writable;
    bool reading; /* `readable` is set */
    bool begun;   /* the deadline of a request runs */
    bool taking;  /* take_input() is at work further up the stack */
    bool flushing;
    bool broken; /* writing failed */
    struct gate *gate;
    struct buf pending;              /* received, not yet shown to the gate */
    struct http_request *request;    /* handed over, not answered */
    struct evhttp_request *answered; /* answered, not written; ours to free if it never is */
    struct loop_timer *timer;
    int64_t expires; /* in ticks; INT64_MAX: never */
    int64_t armed;   /* when the timer fires: at or before `expires` */
    LIST_ENTRY(connection) link;
};

/* The connection behind a callback's pointer. */
struct connection *connection_checked(void *context);
void connection_expires_in(struct connection *connection, int64_t delay_ms);
void connection_expires_never(struct connection *connection);
/* Tells the library that the client has gone; the connection is detached by that. */
void connection_close(struct connection *connection);

/* Begins to read; the socket is known. */
void traffic_start(struct connection *connection);
void traffic_stop(struct connection *connection);
/* The phase has changed back to one that reads: goes on in a later turn of the loop. */
void traffic_resume(struct connection *connection);
/* Gives the library a refusal to answer. */
void traffic_refuse(struct connection *connection, struct gate_refusal refusal);
/* The way out of the filter; see bufferevent_filter_new(). */
enum bufferevent_filter_result traffic_write(struct evbuffer *from, struct evbuffer *to,
                                             ev_ssize_t limit, enum bufferevent_flush_mode mode,
                                             void *context);

#endif
