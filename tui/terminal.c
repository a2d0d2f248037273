/* The terminal. Keys are read from a pad of one cell: reading from stdscr would write out a screen
 * that is half drawn. SIGKILL cannot be helped: `reset` does. */
#include "terminal.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "keys.h"

enum { PASTE_BEGIN = KEY_MAX + 1, PASTE_END, RESTORE_MAX = 256, PASTE_SILENCE_MS = 1000 };

static const char paste_on[] = "\033[?2004h";
static const char paste_off[] = "\033[?2004l";
static const char title_off[] = "\033]2;\a";
static const char mouse_off[] = "\033[?1000l\033[?1006l";

/* One for the process, as the terminal is: a handler of a crash gets no other argument. */
static struct terminal {
    SCREEN *screen;
    WINDOW *keys;
    int signals;
    bool pasting;
    int64_t pasted_ms; /* when the last pasted byte came */
    struct termios before;
    char restore[RESTORE_MAX]; /* the bytes that undo what curses did */
    size_t restore_length;
    sigset_t blocked;
    bool titled;
    bool mouse;
    int click_line;
    int click_column;
} terminal = {.signals = -1};

static const int crashes[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};

static void write_now(const char *bytes, size_t length)
{
    (void)!write(STDOUT_FILENO, bytes, length);
}

/* Only what may be called in a handler. SA_RESETHAND has put the default back: raising again ends
 * the process the way the crash wanted. */
static void on_crash(int number)
{
    write_now(terminal.restore, terminal.restore_length);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
    (void)raise(number);
}

static void handle_crashes(void (*handler)(int))
{
    static char stack[64 * 1024];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = handler,
                               .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND | SA_NODEFER)};
    (void)sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        (void)sigaction(crashes[i], &action, NULL);
}

static void add_restore(const char *bytes)
{
    const size_t length = bytes ? strlen(bytes) : 0;
    if (terminal.restore_length + length > RESTORE_MAX)
        return;
    memcpy(terminal.restore + terminal.restore_length, bytes ? bytes : "", length);
    terminal.restore_length += length;
}

static const char *capability(const char *name)
{
    const char *text = tigetstr(name);
    return (intptr_t)text == -1 ? NULL : text;
}

static bool takes_title(void)
{
    const char *type = getenv("TERM");
    return tigetflag("XT") > 0 || capability("tsl") || (type && strncmp(type, "screen", 6) == 0);
}

static void prepare_restore(void)
{
    static const char *const names[] = {"sgr0", "rmkx", "cnorm", "rmcup"};
    terminal.titled = takes_title();
    add_restore(paste_off);
    add_restore(mouse_off);
    add_restore(terminal.titled ? title_off : NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        add_restore(capability(names[i]));
}

static bool open_signals(struct error *error)
{
    static const int taken[] = {SIGWINCH, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT};
    (void)sigemptyset(&terminal.blocked);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        (void)sigaddset(&terminal.blocked, taken[i]);
    /* Before newterm, which would install handlers of its own, and before any thread. */
    (void)sigprocmask(SIG_BLOCK, &terminal.blocked, NULL);
    terminal.signals = signalfd(-1, &terminal.blocked, SFD_CLOEXEC | SFD_NONBLOCK);
    if (terminal.signals < 0)
        return error_set(error, ERROR_UNAVAILABLE, "signalfd: %s", strerror(errno));
    return true;
}

static void take_over(void)
{
    (void)raw(); /* Ctrl-C is a key here; a SIGINT is somebody else's wish */
    (void)noecho();
    (void)nonl();
    (void)curs_set(1);
    (void)set_escdelay(25);
    terminal.keys = newpad(1, 1);
    (void)keypad(terminal.keys, TRUE);
    (void)nodelay(terminal.keys, TRUE);
    (void)define_key("\033[200~", PASTE_BEGIN);
    (void)define_key("\033[201~", PASTE_END);
    write_now(paste_on, sizeof paste_on - 1);
}

bool terminal_open(struct error *error)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return error_set(error, ERROR_USAGE,
                         "this is not a terminal; use --list to see the requests, or --plain to "
                         "answer them in lines");
    if (!open_signals(error))
        return false;
    (void)tcgetattr(STDIN_FILENO, &terminal.before);
    terminal.screen = newterm(NULL, stdout, stdin);
    if (!terminal.screen || !capability("cup")) { /* newterm takes TERM=dumb */
        const char *type = getenv("TERM");
        terminal_close();
        return error_set(
            error, ERROR_USAGE,
            "TERM=%s cannot show a screen; use --list to see the requests, or --plain to "
            "answer them in lines",
            type ? type : "");
    }
    prepare_restore();
    take_over();
    handle_crashes(on_crash);
    return true;
}

void terminal_close(void)
{
    if (!terminal.screen)
        return;
    if (terminal.keys) {
        handle_crashes(SIG_DFL);
        write_now(paste_off, sizeof paste_off - 1);
        terminal_mouse(false);
        terminal_title("");
        (void)delwin(terminal.keys);
    }
    (void)endwin();
    delscreen(terminal.screen);
    terminal.keys = NULL;
    terminal.screen = NULL;
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal.before);
    (void)close(terminal.signals);
    terminal.signals = -1;
}

int terminal_signal_fd(void)
{
    return terminal.signals;
}

enum terminal_signal terminal_signal(void)
{
    struct signalfd_siginfo info = {0};
    if (read(terminal.signals, &info, sizeof info) != (ssize_t)sizeof info)
        return TERMINAL_NONE;
    switch (info.ssi_signo) {
    case SIGWINCH:
        return TERMINAL_RESIZED;
    case SIGTSTP:
        return TERMINAL_STOP;
    case SIGCONT:
        return TERMINAL_BACK;
    default:
        return TERMINAL_END;
    }
}

void terminal_stop(void)
{
    (void)def_prog_mode();
    write_now(paste_off, sizeof paste_off - 1);
    (void)endwin();
    (void)raise(SIGSTOP);
    terminal_resume();
}

void terminal_resume(void)
{
    (void)reset_prog_mode();
    write_now(paste_on, sizeof paste_on - 1);
    (void)clearok(curscr, TRUE);
    (void)refresh(); /* leaves endwin's state, so that the alternate screen is back */
}

void terminal_size(size_t *lines, size_t *columns)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
        (size.ws_row != LINES || size.ws_col != COLS)) {
        (void)resize_term(size.ws_row, size.ws_col);
        (void)clearok(curscr, TRUE); /* without it the screen stayed wrong */
    }
    *lines = (size_t)LINES;
    *columns = (size_t)COLS;
}

bool terminal_writable(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLOUT);
}

/* --- around the screen --- */

/* Where push and pop of the title are in smcup and rmcup, what was there comes back. */
void terminal_title(const char *title)
{
    struct buf text AUTO(buf_release) = {0};
    if (!terminal.titled)
        return;
    buf_printf(&text, "\033]2;%s\a", title);
    write_now(text.data, text.length);
}

static void append_base64(struct buf *out, const char *text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char padding[] = "==";
    const size_t length = strlen(text);
    for (size_t i = 0; i < length; i += 3) {
        const size_t count = length - i < 3 ? length - i : 3;
        unsigned bits = 0;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (j < count ? (unsigned char)text[i + j] : 0U);
        for (size_t j = 0; j <= count; j++)
            buf_char(out, letters[bits >> (18 - 6 * j) & 63]);
        buf_append(out, padding, 3 - count);
    }
}

/* tmux hands on only what is wrapped for it, with every escape doubled. */
void terminal_copy(const char *text)
{
    struct buf out AUTO(buf_release) = {0};
    const bool tmux = getenv("TMUX") != NULL;
    buf_text_append(&out, tmux ? "\033Ptmux;\033\033]52;c;" : "\033]52;c;");
    append_base64(&out, text);
    buf_text_append(&out, tmux ? "\a\033\\" : "\a");
    if (terminal.titled)
        write_now(out.data, out.length);
}

void terminal_mouse(bool on)
{
    if (on == terminal.mouse)
        return;
    terminal.mouse = on;
    (void)mouseinterval(0);
    (void)mousemask(on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
}

void terminal_click(size_t *line, size_t *column)
{
    *line = (size_t)terminal.click_line;
    *column = (size_t)terminal.click_column;
}

/* --- keys --- */

static uint32_t key_of_mouse(void)
{
    MEVENT event = {0};
    if (getmouse(&event) != OK || event.y < 0 || event.x < 0)
        return KEY_CODE_OTHER;
    terminal.click_line = event.y;
    terminal.click_column = event.x;
    if (event.bstate & BUTTON4_PRESSED)
        return KEY_CODE_WHEEL_UP;
    return event.bstate & BUTTON5_PRESSED ? KEY_CODE_WHEEL_DOWN : KEY_CODE_CLICK;
}

static uint32_t key_of(int result, wint_t code)
{
    static const struct {
        wint_t curses;
        uint32_t key;
    } keys[] = {
        {KEY_UP, KEY_CODE_UP},         {KEY_DOWN, KEY_CODE_DOWN},
        {KEY_PPAGE, KEY_CODE_PAGE_UP}, {KEY_NPAGE, KEY_CODE_PAGE_DOWN},
        {KEY_HOME, KEY_CODE_HOME},     {KEY_END, KEY_CODE_END},
        {KEY_LEFT, KEY_CODE_LEFT},     {KEY_RIGHT, KEY_CODE_RIGHT},
        {KEY_ENTER, KEY_CODE_ENTER},   {KEY_BACKSPACE, KEY_CODE_BACKSPACE},
    };
    if (result != KEY_CODE_YES)
        return code == '\n' ? KEY_CODE_ENTER : code == '\b' ? KEY_CODE_BACKSPACE : (uint32_t)code;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].curses == code)
            return keys[i].key;
    if (code >= KEY_F(1) && code <= KEY_F(12))
        return KEY_CODE_F1 + (code - KEY_F(1));
    return code == KEY_MOUSE ? key_of_mouse() : KEY_CODE_OTHER;
}

uint32_t terminal_key(int64_t now_ms)
{
    wint_t code = 0;
    /* A paste whose end was lost must not leave us deaf. */
    if (terminal.pasting && now_ms - terminal.pasted_ms > PASTE_SILENCE_MS)
        terminal.pasting = false;
    for (int result = 0; (result = wget_wch(terminal.keys, &code)) != ERR;) {
        const bool function = result == KEY_CODE_YES;
        if (function && code == PASTE_END) {
            terminal.pasting = false;
            return KEY_CODE_PASTE;
        }
        if (function && code == PASTE_BEGIN)
            terminal.pasting = true;
        if (terminal.pasting) {
            terminal.pasted_ms = now_ms;
            continue;
        }
        if (code != 0)
            return key_of(result, code);
    }
    return 0;
}
