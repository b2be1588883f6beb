// SPDX-License-Identifier: GPL-2.0-or-later
/* emad.conf(5) has an entry for each name of the configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"
#include "util.h"

#define CONF_5 "Documentation/man/emad.conf.5"

static const char *const names[] = {
#define X(name, usual, help) #name,
	CONFIG_TEXTS(X)
#undef X
#define X(name, help) #name,
		CONFIG_LISTS(X)
#undef X
#define X(name, usual, min, max, help) #name,
			CONFIG_NUMBERS(X)
#undef X
};

/* Is @name a word of a line that begins an entry? */
static bool has_entry(const char *page, const char *name)
{
	const char *line = page;
	size_t n = strlen(name);

	while ((line = strstr(line, ".It Cm "))) {
		const char *end = strchr(line, '\n');
		const char *at = line;

		while ((at = strstr(at, name)) && at < end) {
			if (at[-1] == ' ' && (at[n] == ' ' || at[n] == '\n')) {
				return true;
			}
			at += n;
		}
		line = end;
	}
	return false;
}

static void the_page_has_every_name(void **state)
{
	static char page[65536];
	FILE *file = fopen(CONF_5, "r");

	(void)state;
	assert_non_null(file);
	assert_true(fread(page, 1, sizeof(page) - 1, file) > 0);
	fclose(file);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!has_entry(page, names[i])) {
			fail_msg("%s: expected an entry for %s", CONF_5, names[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_has_every_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
