/* Finds records by a text key: a fixed number of buckets, chained through the records. Made for a
 * few hundred records; knows nothing of what they are. */
#ifndef BOOKFLOW_LOOKUP_H
#define BOOKFLOW_LOOKUP_H

enum { LOOKUP_BUCKETS = 256 };

/* Embedded in the record, which owns the key. */
struct lookup_node {
    const char *key;
    void *record;
    struct lookup_node *next;
};

/* Starts as {0}. */
struct lookup {
    struct lookup_node *buckets[LOOKUP_BUCKETS];
};

/* The same key may be added more than once. */
void lookup_add(struct lookup *lookup, struct lookup_node *node, const char *key, void *record);

/* The record added last under the key, NULL = none. */
void *lookup_find(const struct lookup *lookup, const char *key);

/* The node must be in (assert). */
void lookup_remove(struct lookup *lookup, struct lookup_node *node);

#endif
