/* What the files of this folder share. */
#ifndef BOOKFLOW_TOKENS_PRIVATE_H
#define BOOKFLOW_TOKENS_PRIVATE_H

#include <sys/stat.h>

#include "buf.h"
#include "tokens.h"

#define TOKENS_HEADER "bookflow tokens 1\n"

/* Opens and reads the whole file. *file is what was opened; a file that is not there is an empty
 * text with st_nlink 0. ERROR_CONFIGURATION: it cannot be read, or others may. */
MUST_CHECK bool tokens_load(const char *path, struct buf *text, struct stat *file,
                            struct error *error);

void token_hash(const char *secret, unsigned char hash[TOKEN_HASH_BYTES]);
void token_print(const struct token *token, struct buf *out);

#endif
