/* The buffer: grows, stops at its maximum, is always text. */
#include "buf.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(buf, an_empty_one_is_the_empty_text)
{
    struct buf buf AUTO(buf_release) = {0};
    cr_assert_str_eq(buf_text(&buf), "");
    buf_append(&buf, NULL, 0);
    cr_assert_str_eq(buf_text(&buf), "");
    cr_assert_eq(buf.length, 0);
}

Test(buf, appends_end_in_one_text)
{
    struct buf buf AUTO(buf_release) = {0};
    buf_text_append(&buf, "ab");
    buf_char(&buf, 'c');
    buf_append(&buf, "de!", 2);
    buf_printf(&buf, "-%d-%s", 42, "x");
    cr_assert_str_eq(buf_text(&buf), "abcde-42-x");
    cr_assert_eq(buf.length, strlen("abcde-42-x"));
}

Test(buf, grows_over_many_small_appends_and_one_long_print)
{
    struct buf buf AUTO(buf_release) = {0};
    for (size_t i = 0; i < 10000; i++)
        buf_char(&buf, (char)('a' + i % 26));
    buf_printf(&buf, "%5000s", "end");
    cr_assert_eq(buf.length, 15000);
    cr_assert_eq(strlen(buf_text(&buf)), 15000);
    for (size_t i = 0; i < 10000; i++)
        cr_assert_eq(buf_text(&buf)[i], (char)('a' + i % 26));
    cr_assert_str_eq(buf_text(&buf) + 14997, "end");
}

Test(buf, holds_its_maximum_and_not_a_byte_more)
{
    struct buf buf AUTO(buf_release) = {.maximum = 5};
    buf_text_append(&buf, "12345");
    cr_assert_not(buf.overflow);
    buf_char(&buf, '6');
    cr_assert(buf.overflow);
    cr_assert_str_eq(buf_text(&buf), "12345");
}

Test(buf, an_overflow_is_remembered_until_it_is_cleared)
{
    struct buf buf AUTO(buf_release) = {.maximum = 5};
    buf_printf(&buf, "%s", "123456");
    cr_assert(buf.overflow);
    buf_char(&buf, '1');
    cr_assert_str_eq(buf_text(&buf), "", "appends after an overflow do nothing");
    buf_clear(&buf);
    buf_text_append(&buf, "1234");
    cr_assert_not(buf.overflow);
    cr_assert_str_eq(buf_text(&buf), "1234");
}

Test(buf, a_huge_length_overflows_and_does_not_wrap)
{
    struct buf buf AUTO(buf_release) = {0};
    buf_char(&buf, 'a');
    buf_append(&buf, "", (size_t)-1);
    cr_assert(buf.overflow);
    cr_assert_str_eq(buf_text(&buf), "a");
}

Test(buf, without_a_maximum_of_its_own_it_ends_at_the_default)
{
    struct buf buf AUTO(buf_release) = {0};
    char *half = memory_new(BUF_DEFAULT_MAXIMUM / 2, 1);
    buf_append(&buf, half, BUF_DEFAULT_MAXIMUM / 2);
    buf_append(&buf, half, BUF_DEFAULT_MAXIMUM / 2);
    free(half);
    cr_assert_not(buf.overflow);
    buf_char(&buf, 'x');
    cr_assert(buf.overflow);
}

Test(buf, consuming_removes_from_the_front)
{
    struct buf buf AUTO(buf_release) = {0};
    buf_consume(&buf, 0);
    buf_text_append(&buf, "abcdef");
    buf_consume(&buf, 2);
    cr_assert_str_eq(buf_text(&buf), "cdef");
    buf_consume(&buf, 4);
    cr_assert_str_eq(buf_text(&buf), "");
    cr_assert_eq(buf.length, 0);
}

Test(buf, clearing_keeps_the_memory_and_releasing_keeps_the_maximum)
{
    struct buf buf = {.maximum = 100};
    buf_text_append(&buf, "abc");
    const char *memory = buf.data;
    buf_clear(&buf);
    cr_assert_str_eq(buf_text(&buf), "");
    cr_assert_eq(buf.data, memory);
    buf_release(&buf);
    cr_assert_null(buf.data);
    cr_assert_eq(buf.capacity, 0);
    cr_assert_eq(buf.maximum, 100);
    buf_release(&buf);
}

Test(buf, taking_hands_the_text_over_and_leaves_a_new_buffer)
{
    struct buf buf = {.maximum = 100};
    char *empty = buf_take(&buf);
    cr_assert_str_eq(empty, "");
    buf_text_append(&buf, "abc");
    char *text = buf_take(&buf);
    cr_assert_str_eq(text, "abc");
    cr_assert_null(buf.data);
    cr_assert_eq(buf.maximum, 100);
    free(empty);
    free(text);
}

Test(buf, memory_is_zeroed_and_texts_are_copied)
{
    int *numbers AUTO(memory_release) = memory_new(3, sizeof *numbers);
    cr_assert(numbers[0] == 0 && numbers[1] == 0 && numbers[2] == 0);
    numbers[2] = 7;
    numbers = memory_resize(numbers, 300, sizeof *numbers);
    cr_assert_eq(numbers[2], 7);
    char *part AUTO(memory_release) = memory_text_n("abcdef", 3);
    cr_assert_str_eq(part, "abc");
    char *whole AUTO(memory_release) = memory_text("");
    cr_assert_str_eq(whole, "");
    char *nothing AUTO(memory_release) = memory_new(0, 0);
    cr_assert_not_null(nothing);
}
