/* The terminal: taken over, given back whatever happens, read key by key. The one place that knows
 * signals. There is one terminal and one of these in a process. */
#ifndef BOOKFLOW_TERMINAL_H
#define BOOKFLOW_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* ERROR_USAGE: not a terminal, or one that cannot place the cursor; the sentence names --list. */
MUST_CHECK bool terminal_open(struct error *error);
void terminal_close(void);

/* A descriptor that is readable when a signal is waiting. */
int terminal_signal_fd(void);

enum terminal_signal {
    TERMINAL_NONE,
    TERMINAL_END,
    TERMINAL_RESIZED,
    TERMINAL_STOP,
    TERMINAL_BACK
};
/* The next waiting signal; TERMINAL_NONE when there is none. */
enum terminal_signal terminal_signal(void);

/* Gives the terminal back, stops the process, takes the terminal again when it goes on. */
void terminal_stop(void);
/* Takes it again and paints it anew: after fg, and for Ctrl-L. */
void terminal_resume(void);

/* Asks the terminal for its size and tells curses. */
void terminal_size(size_t *lines, size_t *columns);

/* True when a frame can be written without waiting. */
bool terminal_writable(void);

/* What the terminal shows around the screen: safe text only. Nothing where it cannot. */
void terminal_title(const char *title);
/* Into the clipboard of whoever sits at the terminal (OSC 52): safe text only. */
void terminal_copy(const char *text);
/* Clicks and the wheel become keys; off, the terminal selects text. */
void terminal_mouse(bool on);
/* Where the last KEY_CODE_CLICK was. */
void terminal_click(size_t *line, size_t *column);

/* The next key of keys.h; 0 when none is waiting. Pasted text is dropped: KEY_CODE_PASTE comes once
 * for it. Ctrl-Z gives TERMINAL_CTRL_Z. */
enum { TERMINAL_CTRL_Z = 26 };
uint32_t terminal_key(int64_t now_ms);

#endif
