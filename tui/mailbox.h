/* A queue of owned letters from one thread to another, with a descriptor to poll. A letter is a
 * struct whose first member is a struct letter. The only thing that the console's threads share. */
#ifndef BOOKFLOW_MAILBOX_H
#define BOOKFLOW_MAILBOX_H

#include "errors.h"

struct letter {
    struct letter *next;
};

struct mailbox;
MUST_CHECK struct mailbox *mailbox_new(struct error *error);
/* Letters still in it are handed to `discard`. */
void mailbox_free(struct mailbox *mailbox, void (*discard)(struct letter *letter));

/* Readable while there are letters. */
int mailbox_fd(const struct mailbox *mailbox);

/* Hands the letter over. */
void mailbox_put(struct mailbox *mailbox, struct letter *letter);

/* The oldest letter, now the caller's; NULL when there is none. */
struct letter *mailbox_take(struct mailbox *mailbox);

#endif
