/* The console in sentences: lines that were typed come in, sentences go out, and between them is
 * the same app with the same rules as on the screen. Pure.
 *
 * A request has a number, said with it, that stays its own: nothing that arrives or goes can make
 * an answer mean somebody else. */
#ifndef BOOKFLOW_TALK_H
#define BOOKFLOW_TALK_H

#include "app.h"

enum talk_link { LINK_NEW, LINK_CONNECTING, LINK_LIVE, LINK_OFFLINE, LINK_SIGNED_OUT };

struct talk {
    struct app *app;
    struct row_list numbered;        /* the first one is number 1 */
    size_t listed;                   /* how much of the list was said */
    struct row *row;                 /* who was talked about last; NULL = nobody */
    void (*then)(struct talk *talk); /* waits until a day was read; NULL = nothing does */
    const struct action *action;     /* which it does, if it does one */
    int64_t until_ms;                /* then it is done without */
    /* What was said about: */
    enum talk_link link;
    struct row *staged;
    enum mode mode;
    unsigned group; /* of staged answers */
    struct buf out; /* the caller prints and clears it */
};

/* Borrows the app. */
void talk_begin(struct talk *talk, struct app *app);
void talk_release(struct talk *talk); /* for AUTO() */

/* A line of UTF-8, without its end. */
void talk_line(struct talk *talk, const char *line);
/* Something may have happened: says what is new. */
void talk_hear(struct talk *talk);
/* The next line should wait: what it may be about is not known yet. */
bool talk_is_busy(const struct talk *talk);

/* --- between its own files: talk.c listens, talk_say.c speaks --- */

/* A sentence from words that are laid out for a screen. */
void talk_block(struct talk *talk, const struct buf *block);
void talk_say(struct talk *talk, const char *format, ...) PRINTF_LIKE(2, 3);
/* "3: Zoe, Today 15:30-16:15, waits 26 min." */
void talk_request(struct talk *talk, struct row *row);
/* The next requests of the list, ten at most. */
void talk_list(struct talk *talk);
void talk_detail(struct talk *talk);
void talk_agenda(struct talk *talk);
void talk_history(struct talk *talk);
void talk_status(struct talk *talk);
void talk_help(struct talk *talk);
/* The question that is open. */
void talk_question(struct talk *talk);
/* What is staged, and how to take it back. */
void talk_staged(struct talk *talk, const struct row *row);

#endif
