// SPDX-License-Identifier: GPL-2.0-or-later
/* Documents of a site, made by the program qs1-document in a process for each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "helper.h"
#include "sites.h"

#define PROGRAM "qs1-document"

/* Append a number that is not in the array. */
static void add_number(struct json_object *numbers, const char *text)
{
	for (size_t i = 0; i < json_object_array_length(numbers); i++) {
		if (!strcmp(json_object_get_string(json_object_array_get_idx(numbers, i)), text)) {
			return;
		}
	}
	json_object_array_add(numbers, json_object_new_string(text));
}

/* Inverters that are on the map and do not report so far. */
static void add_from_map(struct json_object *serials, struct json_object *map)
{
	struct json_object *modules = json_object_object_get(map, "modules");

	for (size_t i = 0; modules && i < json_object_array_length(modules); i++) {
		const char *text = json_object_get_string(
			json_object_object_get(json_object_array_get_idx(modules, i), "serial"));
		uint64_t serial;

		if (text && id_parse(text, &serial) == 0) {
			add_number(serials, text);
		}
	}
}

/* Append the numbers of the rows, each of 12 digits. */
static int read_numbers(struct sql *sql, int64_t site, const char *text, struct json_object *array)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(sql, &rows, text, "i", site);

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		char number[ID_TEXT_SIZE];

		add_number(array, id_format(number, (uint64_t)sql_int(rows, 0)));
		ret = 0;
	}
	return ret;
}

/* What the program reads. Return: 0, or a negative errno. */
static int describe(struct sql *sql, int64_t site, const char *kind, struct json_object *document)
{
	static const char *const names[] = { "name", "address", "customer", "installer",
					     "installed_on" };
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	struct json_object *serials = json_object_new_array();
	struct json_object *map;
	struct json_object *ecus = json_object_new_array();
	int ret = sql_query(
		sql, &rows,
		"SELECT sites.name, address, tenants.name, installer, COALESCE(installed_on, ''), "
		"warranty_years, COALESCE(map, $2) FROM sites JOIN tenants ON tenants.id = customer "
		"WHERE sites.id = $1",
		"is", site, SITES_MAP_EMPTY);

	json_object_object_add(document, "serials", serials);
	json_object_object_add(document, "ecus", ecus);
	ret = ret < 0 ? ret : sql_next(rows);
	if (ret <= 0) {
		return ret < 0 ? ret : -ENOENT;
	}
	json_text(document, "kind", kind);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		json_row_text(document, names[i], rows, (int)i);
	}
	json_row_int(document, "warranty_years", rows, 5);
	map = json_tokener_parse(sql_text(rows, 6));
	json_object_object_add(document, "map", map);
	ret = read_numbers(sql, site, "SELECT serial FROM units WHERE site = $1 ORDER BY serial",
			   serials);
	add_from_map(serials, map);
	return ret < 0 ? ret
		       : read_numbers(sql, site,
				      "SELECT ecu FROM ecus WHERE site = $1 ORDER BY ecu", ecus);
}

static void reply_document(struct http_request *request, const char *kind)
{
	struct json_object *document;
	struct api_site site;
	struct sql *sql = api_site(request, &site);
	const char *text;
	char *bytes;
	size_t n;
	int ret;

	if (!sql) {
		return;
	}
	document = json_object_new_object();
	ret = describe(sql, site.id, kind, document);
	if (ret < 0) {
		json_object_put(document);
		api_failed(request, sql, ret);
		return;
	}
	text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN);
	ret = helper_run(PROGRAM, text, strlen(text), &bytes, &n);
	json_object_put(document);
	if (ret < 0) {
		http_reply_errno(request, ret, "document: " PROGRAM ": %s",
				 ret == -EOPNOTSUPP ? "not installed" : strerror(-ret));
		return;
	}
	http_reply_take(request, 200, "application/pdf", bytes, n);
}

void api_get_sites_id_documents_installation_map(struct http_request *request)
{
	reply_document(request, "installation-map");
}

void api_get_sites_id_documents_registration_card(struct http_request *request)
{
	reply_document(request, "registration-card");
}

void api_get_sites_id_documents_warranty_card(struct http_request *request)
{
	reply_document(request, "warranty-card");
}
