/* News: making and freeing them. */
#include "news.h"

#include <stdlib.h>

#include "buf.h"

struct news *news_new(enum news_kind kind, const char *id)
{
    struct news *news = memory_new(1, sizeof *news);
    news->kind = kind;
    news->wait_ms = -1;
    if (id)
        id_copy(news->id, id);
    return news;
}

void news_add(struct news *news, struct record *record)
{
    if (!record)
        return;
    if ((news->count & (news->count - 1)) == 0) { /* full at 0, 1, 2, 4, 8, ... */
        const size_t capacity = news->count ? 2 * news->count : 1;
        news->records = memory_resize(news->records, capacity, sizeof(struct record *));
    }
    news->records[news->count++] = record;
}

void news_free(struct news *news)
{
    if (!news)
        return;
    for (size_t i = 0; i < news->count; i++)
        record_free(news->records[i]);
    free(news->records);
    free(news->reason);
    free(news->event);
    history_free(&news->history);
    buf_release(&news->lines);
    free(news);
}

void news_release(struct news **news)
{
    news_free(*news);
    *news = NULL;
}
