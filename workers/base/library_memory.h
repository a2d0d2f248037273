/* The memory of the libraries. Most calls of jansson, libevent's buffers and OpenSSL's digests fail
 * for want of memory only, and an answer that lacks a field is worse than none: so they get memory
 * that aborts, as ours does (buf.h). SQLite keeps its own: it undoes the statement, and says so. */
#ifndef BOOKFLOW_LIBRARY_MEMORY_H
#define BOOKFLOW_LIBRARY_MEMORY_H

/* First thing in main(), before any of them has allocated. */
void library_memory_init(void);

#endif
