/* What SQS accepts, checked before anything leaves: the same answers from every implementation. */
#ifndef BOOKFLOW_QUEUE_CHECKS_H
#define BOOKFLOW_QUEUE_CHECKS_H

#include "queue.h"

/* Of a whole call. ERROR_INVALID, or ERROR_TOO_LARGE for a batch whose entries are together beyond
 * QUEUE_MESSAGE_MAX; an entry that is beyond it alone fails alone and is not counted. */
MUST_CHECK bool queue_check_count(size_t count, struct error *error);
MUST_CHECK bool queue_check_batch(const struct queue_entry entries[], size_t count,
                                  struct error *error);
MUST_CHECK bool queue_check_receive(const struct queue_receive_options *options,
                                    struct error *error);

/* Of one entry. ERROR_INVALID or ERROR_TOO_LARGE. */
MUST_CHECK bool queue_check_entry(const struct queue_entry *entry, struct error *error);
MUST_CHECK bool queue_check_visibility(int64_t visibility_s, struct error *error);

/* Bytes that count against QUEUE_MESSAGE_MAX: the body, and name, type and value of attributes. */
size_t queue_entry_size(const struct queue_entry *entry);

#endif
