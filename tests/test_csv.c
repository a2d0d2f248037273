/* Comma-separated values. */
#include "csv.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(csv, splits_a_line_into_its_fields)
{
    static const struct {
        const char *line, *first, *second;
    } cases[] = {
        {"a,b\n", "a", "b"},
        {"a,b", "a", "b"},
        {"a,b\r\nnext", "a", "b"},
        {",\n", "", ""},
        {"\"a,1\",\"say \"\"hi\"\"\"\n", "a,1", "say \"hi\""},
        {"\"\",b\n", "", "b"},
        {"a\"b,c\n", "a\"b", "c"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *copy = strdup(cases[i].line);
        char *text = copy;
        char *fields[2];
        struct error error = {0};
        cr_assert(csv_line(&text, fields, 2, &error), "%s: %s", cases[i].line, error.text);
        cr_assert_str_eq(fields[0], cases[i].first, "%s", cases[i].line);
        cr_assert_str_eq(fields[1], cases[i].second, "%s", cases[i].line);
        free(copy);
    }
}

Test(csv, refuses_a_line_of_another_shape)
{
    static const char *const cases[] = {"a\n", "a,b,c\n", "\"a,b\n", "\"a\"x,b\n", "", "a,\"b\n"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *copy = strdup(cases[i]);
        char *text = copy;
        char *fields[2];
        struct error error = {0};
        cr_assert_not(csv_line(&text, fields, 2, &error), "%s", cases[i]);
        cr_assert_eq(error.kind, ERROR_INVALID);
        free(copy);
    }
}

Test(csv, walks_through_a_text_line_by_line)
{
    char text[] = "1,2\n3,4\r\n5,6";
    char *at = text;
    char *fields[2];
    struct error error = {0};
    for (int line = 0; line < 3; line++) {
        cr_assert(csv_line(&at, fields, 2, &error), "%s", error.text);
        cr_assert_eq(atoi(fields[0]), 2 * line + 1);
        cr_assert_eq(atoi(fields[1]), 2 * line + 2);
    }
    cr_assert_eq(*at, '\0');
}
