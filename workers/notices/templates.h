/* The texts of mails and short messages: files with {placeholders}, each with a default that is
 * compiled in. A line whose placeholders are all empty is left out; "{{" is a brace. A mail's first
 * line is its subject, the second is blank. Knows the words of a letter and not how it is sent. */
#ifndef BOOKFLOW_TEMPLATES_H
#define BOOKFLOW_TEMPLATES_H

#include "buf.h"
#include "notices.h"

struct templates;

/* A file in `folder` (NULL = none) stands in for the default of its name. ERROR_CONFIGURATION names
 * file and line of what is wrong. */
MUST_CHECK struct templates *templates_load(const char *folder, struct error *error);
void templates_free(struct templates *templates);

/* The letter in words, lines ended by newlines. `subject` stays empty but for mails; it has no line
 * end, whatever the names in it hold. */
struct wording {
    struct buf subject;
    struct buf text;
};
void templates_fill(const struct templates *templates, const struct letter *letter,
                    struct wording *wording);
void wording_release(struct wording *wording); /* for AUTO() */

/* A name from the directory as it may stand in a line: one line, safe to show, not too long. */
void wording_name(const struct person *person, struct buf *out);

#endif
