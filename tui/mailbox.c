/* A queue between two threads. Knows nothing of what is in the letters. */
#include "mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "buf.h"

struct mailbox {
    pthread_mutex_t lock;
    struct letter *first;
    struct letter **end;
    int fd;
};

struct mailbox *mailbox_new(struct error *error)
{
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        (void)error_set(error, ERROR_UNAVAILABLE, "eventfd: %s", strerror(errno));
        return NULL;
    }
    struct mailbox *mailbox = memory_new(1, sizeof *mailbox);
    (void)pthread_mutex_init(&mailbox->lock, NULL);
    mailbox->end = &mailbox->first;
    mailbox->fd = fd;
    return mailbox;
}

void mailbox_free(struct mailbox *mailbox, void (*discard)(struct letter *letter))
{
    if (!mailbox)
        return;
    for (struct letter *letter = NULL; (letter = mailbox_take(mailbox));)
        discard(letter);
    (void)pthread_mutex_destroy(&mailbox->lock);
    (void)close(mailbox->fd);
    free(mailbox);
}

int mailbox_fd(const struct mailbox *mailbox)
{
    return mailbox->fd;
}

void mailbox_put(struct mailbox *mailbox, struct letter *letter)
{
    const uint64_t one = 1;
    letter->next = NULL;
    (void)pthread_mutex_lock(&mailbox->lock);
    *mailbox->end = letter;
    mailbox->end = &letter->next;
    (void)!write(mailbox->fd, &one, sizeof one);
    (void)pthread_mutex_unlock(&mailbox->lock);
}

struct letter *mailbox_take(struct mailbox *mailbox)
{
    (void)pthread_mutex_lock(&mailbox->lock);
    struct letter *letter = mailbox->first;
    if (letter)
        mailbox->first = letter->next;
    if (!mailbox->first) {
        uint64_t count = 0;
        (void)!read(mailbox->fd, &count, sizeof count);
        mailbox->end = &mailbox->first;
    }
    (void)pthread_mutex_unlock(&mailbox->lock);
    return letter;
}
