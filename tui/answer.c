/* The life of one answer. */
#include "answer.h"

#include <stdlib.h>

#include "buf.h"

struct answer *answer_new(const struct world *world, enum booking_command command,
                          const char *reason)
{
    struct answer *answer = memory_new(1, sizeof *answer);
    answer->command = command;
    answer->reason = reason ? memory_text(reason) : NULL;
    id_new(world, answer->key);
    return answer;
}

void answer_free(struct answer *answer)
{
    if (!answer)
        return;
    free(answer->reason);
    free(answer->why);
    free(answer);
}

bool answer_is_staged(const struct answer *answer)
{
    return answer && !answer->unsure &&
           (answer->state == ANSWER_STAGED || answer->state == ANSWER_KEPT);
}

bool answer_is_over(const struct answer *answer)
{
    return !answer || answer->state == ANSWER_DELIVERED || answer->state == ANSWER_NOT_DONE;
}

bool answer_is_sending(const struct answer *answer)
{
    return answer && (answer->state == ANSWER_SENDING || answer->state == ANSWER_RETRYING);
}

const char *answer_verb(const struct answer *answer)
{
    return answer->command == BOOKING_ACCEPT ? "ACCEPT" : "REJECT";
}

void answer_fail(struct answer *answer, char *why)
{
    free(answer->why);
    answer->why = why;
    answer->state = ANSWER_NOT_DONE;
}
