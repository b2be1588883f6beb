// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Documentation/ecu.md has a row for each command, event and reading of the gateway, and
 * ecud.conf(5) an entry for each name of the configuration. With the argument "print" this program
 * prints them.
 */
#include "link_bench.h"

#include "config.h"
#include "model.h"

#define ECU_MD "Documentation/ecu.md"
#define CONF_5 "Documentation/man/ecud.conf.5"
#define ROW_SIZE 600

static char *document;
static const char *path;
static int rows;

static void row(const char *text)
{
	rows++;
	if (!document) {
		puts(text);
	} else if (!strstr(document, text)) {
		fail_msg("%s has no row: %s", path, text);
	}
}

static const char *list_of(unsigned int bits, const char *(*name)(unsigned int bit), char *text)
{
	*text = '\0';
	for (int i = 0; i < 32; i++) {
		if (bits & 1u << i) {
			sprintf(text + strlen(text), "%s%s", *text ? " " : "", name(1u << i));
		}
	}
	return text;
}

static void commands(void)
{
	static const char *const scope[] = { "", "inverter", "site", "both" };
	char text[ROW_SIZE], roles[200], interfaces[200];

	for (int i = 0; i < COMMAND_COUNT; i++) {
		const struct order_desc *desc = &order_desc[i];

		snprintf(text, sizeof(text), "| `%s` | %s | %s | %s | %s | %s |", desc->name,
			 *desc->argument ? desc->argument : "-", scope[desc->scope],
			 list_of(desc->roles, order_role_name, roles),
			 list_of(desc->interfaces, order_interface_name, interfaces), desc->help);
		row(text);
	}
}

static void readings(void)
{
	static const char *const scope[] = { "inverter", "module", "site" };
	char text[ROW_SIZE];

	for (int i = 0; i < READING_COUNT; i++) {
		snprintf(text, sizeof(text), "| `%s` | %s | %s | `%s` | %s |",
			 model_reading[i].name, scope[model_reading[i].scope],
			 model_reading[i].unit, model_reading[i].metric, model_reading[i].help);
		row(text);
	}
}

static void events(void)
{
	struct model_event event = { .detail = "..." };
	char text[ROW_SIZE], words[200];

	for (int i = 0; i < EVENT_COUNT; i++) {
		event.kind = (enum model_event_kind)i;
		snprintf(text, sizeof(text), "| `%s` | %s | %s |", model_event_name(event.kind),
			 model_severity_name(model_event_severity(event.kind)),
			 model_event_words(&event, words, sizeof(words)));
		row(text);
	}
}

static void settings(void)
{
#define X(id, name, kind, standard, least, most, help) row(".It Cm " #name "\n" help ".");
	CONFIG_KEYS(X)
#undef X
}

static char *load(const char *name)
{
	FILE *file = fopen(name, "r");
	char *text = calloc(1, 200000);

	assert_non_null(file);
	assert_true(fread(text, 1, 199999, file) > 0);
	fclose(file);
	return text;
}

static void the_document_has_every_command_event_and_reading(void **state)
{
	(void)state;
	path = ECU_MD;
	document = load(path);
	rows = 0;
	commands();
	readings();
	events();
	assert_true(rows > 60);
	free(document);
}

static void the_manual_has_every_setting(void **state)
{
	(void)state;
	path = CONF_5;
	document = load(path);
	settings();
	free(document);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_has_every_command_event_and_reading),
		cmocka_unit_test(the_manual_has_every_setting),
	};

	if (argc > 1 && !strcmp(argv[1], "print")) {
		commands();
		readings();
		events();
		settings();
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
