/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ECU's status as a page that needs no scripts, at /status. The server fills it from the same
 * JSON objects that its API answers; texts come from texts/LANGUAGE.json.
 */
#ifndef QS1_WEB_PLAIN_H
#define QS1_WEB_PLAIN_H

#include <stddef.h>

#include <json-c/json.h>

/**
 * struct plain_text - one text; generated, see scripts/web-pack
 * @language: "en" or "de"
 * @key: as in texts/LANGUAGE.json
 * @text: with {name} where a value is put in
 */
struct plain_text {
	const char *language;
	const char *key;
	const char *text;
};

/* Ended by a row of NULLs. */
extern const struct plain_text plain_texts[];

/**
 * plain_status() - the page
 * @accept_language: header of the request, NULL for English
 * @status: what GET /api/v1/status answers
 * @inverters: what GET /api/v1/inverters answers
 * @ret_html: UTF-8, ended by NUL; to be freed
 * @ret_size: bytes, without the NUL
 *
 * The page has no inline style, so that web_ecu.csp holds for it too.
 *
 * Return: 0 or -ENOMEM. A member that is absent is shown as unknown.
 */
int plain_status(const char *accept_language, struct json_object *status,
		 struct json_object *inverters, char **ret_html, size_t *ret_size);

#endif /* QS1_WEB_PLAIN_H */
