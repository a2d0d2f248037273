/* The console in lines: for screen readers, and for a pipe. */
#ifndef BOOKFLOW_PLAIN_H
#define BOOKFLOW_PLAIN_H

#include "conf.h"
#include "remote.h"

/* Runs until the person leaves, the input ends or a signal comes; what is staged then is not sent.
 * False only when it could not start. */
MUST_CHECK bool plain_run(const struct remote *remote, const struct conf *conf,
                          struct error *error);

#endif
