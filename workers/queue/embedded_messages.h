/* The messages of the embedded queues, as rows of one SQLite file: what each call of SQS does to
 * them. Runs inside the caller's transaction, on the thread that owns the database. */
#ifndef BOOKFLOW_EMBEDDED_MESSAGES_H
#define BOOKFLOW_EMBEDDED_MESSAGES_H

#include "buf.h"
#include "db.h"
#include "embedded_url.h"
#include "queue.h"

extern const struct db_schema messages_schema;

/* One queue of the file, seen by one handle. Stays where it was initialised. */
struct messages {
    const struct embedded_options *options; /* borrowed, like the world */
    const struct world *world;
    struct world chance; /* what shuffle and duplicate draw from */
    uint64_t seed;       /* its state, when seeded */
};

void messages_init(struct messages *messages, const struct embedded_options *options,
                   const struct world *world);

/* Message attributes as they are stored: name NUL value NUL, for each. */
void messages_pack(struct buf *packed, const struct queue_attribute *attributes);

struct message_sending {
    const char *queue;
    const char *body;
    const struct buf *packed;
    int64_t delay_s;
};
MUST_CHECK bool messages_send(struct messages *messages, struct db *db,
                              const struct message_sending *sending, char id[ID_SIZE],
                              struct error *error);

enum { RECEIPT_SIZE = 64 };

struct message_received {
    char id[ID_SIZE];
    char receipt[RECEIPT_SIZE];
    struct buf text; /* the body, NUL, the packed attributes */
    size_t body_length;
    int64_t receive_count;
    int64_t sent_ms;
};

struct message_receiving {
    size_t maximum;
    int64_t visibility_s;
    size_t count;
    struct message_received received[QUEUE_BATCH];
    int64_t next_ms; /* with none received: when the next hidden one shows, or INT64_MAX */
    bool moved;      /* something went to the dead-letter queue */
};

/* Takes what is visible, oldest first. May be called again on the same struct after it received
 * nothing. */
MUST_CHECK bool messages_receive(struct messages *messages, struct db *db,
                                 struct message_receiving *receiving, struct error *error);
void message_receiving_release(struct message_receiving *receiving);

/* Lays a received message out as the interface has it; borrowed from `received`. */
void message_unpack(const struct message_received *received,
                    struct queue_attribute attributes[QUEUE_ATTRIBUTES_MAX + 1],
                    struct queue_message *out);

/* A receipt that is not the newest changes nothing, and that is no failure. *again: the message
 * stays, to be delivered once more. */
MUST_CHECK bool messages_delete(struct messages *messages, struct db *db, const char *receipt,
                                bool *again, struct error *error);

/* *found: the receipt is the newest one, and its message still hidden. */
MUST_CHECK bool messages_hide(struct messages *messages, struct db *db,
                              const struct queue_visibility *change, bool *found,
                              struct error *error);

MUST_CHECK bool messages_count(struct messages *messages, struct db *db,
                               struct queue_attributes *attributes, struct error *error);

#endif
