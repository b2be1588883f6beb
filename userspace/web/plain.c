// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plain.h"

/* Shown where a value is unknown, as on the other pages. */
#define ABSENT "\u2013"
#define LANGUAGE_SIZE 3
#define KEY_SIZE 64

/**
 * struct page - a page that is being written
 * @out: its text
 * @language: of its texts
 */
struct page {
	FILE *out;
	const char *language;
};

static bool language_exists(const char *language)
{
	for (const struct plain_text *text = plain_texts; text->language; text++) {
		if (!strcmp(text->language, language)) {
			return true;
		}
	}
	return false;
}

/* The first language of the header that we have: browsers list them by preference. */
static const char *choose_language(const char *header, char language[LANGUAGE_SIZE])
{
	while (header && *header) {
		header += strspn(header, ", ");
		snprintf(language, LANGUAGE_SIZE, "%c%c", tolower((unsigned char)header[0]),
			 header[0] ? tolower((unsigned char)header[1]) : 0);
		if (language_exists(language)) {
			return language;
		}
		header += strcspn(header, ",");
	}
	return "en";
}

/* The text of a key, or NULL. */
static const char *text_of(const struct page *page, const char *key)
{
	for (const struct plain_text *text = plain_texts; text->language; text++) {
		if (!strcmp(text->language, page->language) && !strcmp(text->key, key)) {
			return text->text;
		}
	}
	return NULL;
}

static void put_char(struct page *page, char c)
{
	switch (c) {
	case '&':
		fputs("&amp;", page->out);
		break;
	case '<':
		fputs("&lt;", page->out);
		break;
	case '>':
		fputs("&gt;", page->out);
		break;
	case '"':
		fputs("&quot;", page->out);
		break;
	default:
		fputc(c, page->out);
	}
}

static void put_escaped(struct page *page, const char *text)
{
	while (*text) {
		put_char(page, *text++);
	}
}

static void put_text(struct page *page, const char *key)
{
	const char *text = text_of(page, key);

	put_escaped(page, text ? text : key);
}

/* The text of a word in a group of keys; the word itself where there is none. */
static void put_word(struct page *page, const char *group, const char *word)
{
	char key[KEY_SIZE];
	const char *text;

	snprintf(key, sizeof(key), "%s.%s", group, word);
	text = text_of(page, key);
	put_escaped(page, text ? text : word);
}

/* A member by its path, NULL where there is none or it is null. */
static struct json_object *at(struct json_object *object, const char *path)
{
	char name[KEY_SIZE];

	while (object && *path) {
		size_t n = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		if (!json_object_object_get_ex(object, name, &object)) {
			return NULL;
		}
		path += n + (path[n] == '.');
	}
	return object;
}

static const char *text_at(struct json_object *object, const char *path)
{
	struct json_object *value = at(object, path);

	return value ? json_object_get_string(value) : "";
}

static double number_at(struct json_object *object, const char *path)
{
	struct json_object *value = at(object, path);

	return value ? json_object_get_double(value) : NAN;
}

/* Three figures of a quantity in its unit, its thousand or its million. */
static void put_scaled(struct page *page, double value, const char *unit)
{
	double size = fabs(value);
	double factor = size >= 999500 ? 1e6 : size >= 999.5 ? 1e3 : 1;
	const char *prefix = factor == 1e6 ? "M" : factor == 1e3 ? "k" : "";
	int digits = factor == 1 ? 0 : size / factor < 10 ? 2 : size / factor < 100 ? 1 : 0;
	char text[32];

	if (isnan(value)) {
		fputs(ABSENT, page->out);
		return;
	}
	snprintf(text, sizeof(text), "%.*f", digits, value / factor);
	if (!strcmp(page->language, "de")) {
		char *point = strchr(text, '.');

		if (point) {
			*point = ',';
		}
	}
	fprintf(page->out, "%s %s%s", text, prefix, unit);
}

/* The text of a key with the whole numbers of @object where {member} stands. */
static void put_filled(struct page *page, const char *key, struct json_object *object)
{
	const char *text = text_of(page, key);
	char name[KEY_SIZE];

	for (; text && *text; text++) {
		if (*text == '{') {
			size_t n = strcspn(++text, "}");

			snprintf(name, sizeof(name), "%.*s", (int)n, text);
			fprintf(page->out, "%.0f", number_at(object, name));
			text += n;
		} else {
			put_char(page, *text);
		}
	}
}

/* The figures at the top. Columns: text, member of the status, unit. */
static const struct {
	const char *key;
	const char *path;
	const char *unit;
} figures[] = {
	{ "plain.power", "readings.power", "W" },
	{ "plain.today", "readings.energy_today", "Wh" },
	{ "plain.total", "readings.energy", "Wh" },
	{ "plain.grid", "readings.grid_power", "W" },
	{ "plain.limit", "limit.desired_w", "W" },
};

static void put_figures(struct page *page, struct json_object *status)
{
	fputs("<dl>", page->out);
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		fputs("<dt>", page->out);
		put_text(page, figures[i].key);
		fputs("</dt><dd>", page->out);
		put_scaled(page, number_at(status, figures[i].path), figures[i].unit);
		fputs("</dd>", page->out);
	}
	fputs("</dl>\n", page->out);
}

/* What needs a person; the gateway's own words, which are English. */
static void put_alarms(struct page *page, struct json_object *alarms)
{
	size_t n = alarms ? json_object_array_length(alarms) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *alarm = json_object_array_get_idx(alarms, i);

		fputs("<div class=\"notice bad\" lang=\"en\"><p><strong>", page->out);
		put_escaped(page, text_at(alarm, "text"));
		fputs("</strong> ", page->out);
		put_escaped(page, text_at(alarm, "serial"));
		fputs("</p><p>", page->out);
		put_escaped(page, text_at(alarm, "advice"));
		fputs("</p></div>\n", page->out);
	}
}

static void put_faults(struct page *page, struct json_object *faults)
{
	size_t n = faults ? json_object_array_length(faults) : 0;

	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : " ", page->out);
		put_word(page, "fault", text_at(json_object_array_get_idx(faults, i), "code"));
	}
}

static void put_inverter(struct page *page, struct json_object *inverter)
{
	const char *name = text_at(inverter, "name");
	const char *state = text_at(inverter, "state");

	fputs("<tr><th scope=\"row\">", page->out);
	put_escaped(page, *name ? name : text_at(inverter, "serial"));
	fputs("</th><td>", page->out);
	put_word(page, "state", *state ? state : "unknown");
	put_faults(page, at(inverter, "faults"));
	fputs("</td><td>", page->out);
	put_word(page, "link", text_at(inverter, "link.state"));
	fputs("</td><td class=\"num\">", page->out);
	put_scaled(page, number_at(inverter, "readings.power"), "W");
	fputs("</td><td class=\"num\">", page->out);
	put_scaled(page, number_at(inverter, "readings.energy_today"), "Wh");
	fputs("</td></tr>\n", page->out);
}

static void put_inverters(struct page *page, struct json_object *list)
{
	static const struct {
		const char *key;
		bool number;
	} columns[] = {
		{ "inverter.name", false },	  { "inverter.state", false },
		{ "inverter.link", false },	  { "reading.power", true },
		{ "reading.energy_today", true },
	};
	size_t n = list ? json_object_array_length(list) : 0;

	fputs("<div class=\"scroll\"><table><caption>", page->out);
	put_text(page, "inverters.title");
	fputs("</caption><thead><tr>", page->out);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		fprintf(page->out, "<th scope=\"col\"%s>",
			columns[i].number ? " class=\"num\"" : "");
		put_text(page, columns[i].key);
		fputs("</th>", page->out);
	}
	fputs("</tr></thead><tbody>\n", page->out);
	for (size_t i = 0; i < n; i++) {
		put_inverter(page, json_object_array_get_idx(list, i));
	}
	fputs("</tbody></table></div>\n", page->out);
}

static void put_time(struct page *page, double time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm local;
	char text[32];

	if (isnan(time_ms) || !localtime_r(&seconds, &local)) {
		return;
	}
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
	fprintf(page->out, "<p>%s</p>\n", text);
}

static void put_page(struct page *page, struct json_object *status, struct json_object *inverters)
{
	const char *name = text_at(status, "ecu.name");

	fprintf(page->out,
		"<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n"
		"<link rel=\"stylesheet\" href=\"/ecu.css\">\n<title>",
		page->language);
	put_text(page, "plain.title");
	fputs("</title></head><body><main>\n<h1>", page->out);
	put_escaped(page, *name ? name : text_at(status, "ecu.id"));
	fputs("</h1>\n", page->out);
	put_alarms(page, at(status, "alarms"));
	put_figures(page, status);
	fputs("<p>", page->out);
	put_filled(page, "plain.reporting", at(status, "reporting"));
	fputs("</p>\n", page->out);
	put_inverters(page, at(inverters, "inverters"));
	put_time(page, number_at(status, "time_ms"));
	fputs("<p><a href=\"/status\">", page->out);
	put_text(page, "plain.again");
	fputs("</a></p><p><a href=\"/\">", page->out);
	put_text(page, "plain.full");
	fputs("</a></p>\n</main></body></html>\n", page->out);
}

int plain_status(const char *accept_language, struct json_object *status,
		 struct json_object *inverters, char **ret_html, size_t *ret_size)
{
	char language[LANGUAGE_SIZE];
	struct page page = { .language = choose_language(accept_language, language) };
	char *html = NULL;
	size_t size = 0;

	page.out = open_memstream(&html, &size);
	if (!page.out) {
		return -ENOMEM;
	}
	put_page(&page, status, inverters);
	if (fclose(page.out)) {
		free(html);
		return -ENOMEM;
	}
	*ret_html = html;
	*ret_size = size;
	return 0;
}
