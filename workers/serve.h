/* `bookflow serve`. */
#ifndef BOOKFLOW_SERVE_H
#define BOOKFLOW_SERVE_H

/* Returns the exit code. */
int serve_main(int argc, char **argv);

#endif
