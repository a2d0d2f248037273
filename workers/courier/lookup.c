/* A small chained hash table. Must not know what its records are. */
#include "lookup.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* FNV-1a. A hostile key can only make one chain long, and a chain never exceeds what a publisher's
 * window or a consumer's permits hold. */
static size_t bucket_of(const char *key)
{
    uint32_t hash = 2166136261U;
    for (const char *at = key; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    return hash % LOOKUP_BUCKETS;
}

void lookup_add(struct lookup *lookup, struct lookup_node *node, const char *key, void *record)
{
    struct lookup_node **bucket = &lookup->buckets[bucket_of(key)];
    *node = (struct lookup_node){.key = key, .record = record, .next = *bucket};
    *bucket = node;
}

void *lookup_find(const struct lookup *lookup, const char *key)
{
    const struct lookup_node *node = lookup->buckets[bucket_of(key)];
    while (node && strcmp(node->key, key) != 0)
        node = node->next;
    return node ? node->record : NULL;
}

void lookup_remove(struct lookup *lookup, struct lookup_node *node)
{
    struct lookup_node **at = &lookup->buckets[bucket_of(node->key)];
    while (*at && *at != node)
        at = &(*at)->next;
    assert(*at);
    *at = node->next;
}
