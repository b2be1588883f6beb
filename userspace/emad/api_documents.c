// SPDX-License-Identifier: GPL-2.0-or-later
/* Documents of a site. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "documents.h"
#include "sites.h"

/* Serial numbers and ECUs of a site. */
static int read_lists(struct sql *sql, int64_t site, struct document_site *document,
		      uint64_t **ret_serials, char *ecus, size_t size)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	struct sql_rows *ecu_rows __cleanup(sql_done_ptr) = NULL;
	size_t used = 0;
	int ret = sql_query(sql, &rows, "SELECT serial FROM units WHERE site = $1 ORDER BY serial",
			    "i", site);

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		uint64_t *more =
			realloc(*ret_serials, (document->serial_count + 1) * sizeof(*more));

		ret = more ? 0 : -ENOMEM;
		if (more) {
			*ret_serials = more;
			more[document->serial_count++] = (uint64_t)sql_int(rows, 0);
		}
	}
	document->serials = *ret_serials;
	if (ret == 0) {
		ret = sql_query(sql, &ecu_rows, "SELECT ecu FROM ecus WHERE site = $1 ORDER BY ecu",
				"i", site);
	}
	ecus[0] = '\0';
	while (ret == 0 && (ret = sql_next(ecu_rows)) > 0) {
		char text[ID_TEXT_SIZE];

		if (used + ID_TEXT_SIZE + 2 < size) {
			used += (size_t)snprintf(ecus + used, size - used, "%s%s", used ? ", " : "",
						 id_format(text, (uint64_t)sql_int(ecu_rows, 0)));
		}
		ret = 0;
	}
	document->ecus = ecus;
	return ret;
}

/* Inverters that are on the map and do not report so far. */
static int add_from_map(struct document_site *document, uint64_t **serials)
{
	struct json_object *modules = json_object_object_get(document->map, "modules");

	for (size_t i = 0; modules && i < json_object_array_length(modules); i++) {
		const char *text = json_object_get_string(
			json_object_object_get(json_object_array_get_idx(modules, i), "serial"));
		uint64_t *more;
		uint64_t serial;
		size_t j = 0;

		if (!text || id_parse(text, &serial) < 0) {
			continue;
		}
		while (j < document->serial_count && (*serials)[j] != serial) {
			j++;
		}
		if (j < document->serial_count) {
			continue;
		}
		more = realloc(*serials, (document->serial_count + 1) * sizeof(*more));
		if (!more) {
			return -ENOMEM;
		}
		*serials = more;
		more[document->serial_count++] = serial;
		document->serials = more;
	}
	return 0;
}

static void reply_document(struct http_request *request,
			   int (*make)(const struct document_site *site, void **ret_bytes,
				       size_t *ret_n))
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	uint64_t *serials __cleanup(free_ptr) = NULL;
	struct document_site document = { 0 };
	struct sql *sql = api_sql(request);
	struct api_site site;
	char ecus[256];
	void *bytes;
	size_t n;
	int ret;

	if (!sql || !api_site(request, sql, &site)) {
		return;
	}
	ret = sql_query(
		sql, &rows,
		"SELECT sites.name, address, tenants.name, installer, COALESCE(installed_on, ''), "
		"warranty_years, COALESCE(map, $2) FROM sites JOIN tenants ON tenants.id = customer "
		"WHERE sites.id = $1",
		"is", site.id, SITES_MAP_EMPTY);
	if (ret == 0) {
		ret = sql_next(rows);
	}
	if (ret > 0) {
		document.name = sql_text(rows, 0);
		document.address = sql_text(rows, 1);
		document.customer = sql_text(rows, 2);
		document.installer = sql_text(rows, 3);
		document.installed_on = sql_text(rows, 4);
		document.warranty_years = (int)sql_int(rows, 5);
		document.map = json_tokener_parse(sql_text(rows, 6));
		ret = read_lists(sql, site.id, &document, &serials, ecus, sizeof(ecus));
	} else if (ret == 0) {
		ret = -ENOENT;
	}
	if (ret == 0) {
		ret = add_from_map(&document, &serials);
	}
	if (ret == 0) {
		ret = make(&document, &bytes, &n);
	}
	json_object_put(document.map);
	if (ret < 0) {
		api_failed(request, sql, ret);
		return;
	}
	http_reply_take(request, 200, "application/pdf", bytes, n);
}

void api_get_sites_id_documents_installation_map(struct http_request *request)
{
	reply_document(request, document_map);
}

void api_get_sites_id_documents_registration_card(struct http_request *request)
{
	reply_document(request, document_registration);
}

void api_get_sites_id_documents_warranty_card(struct http_request *request)
{
	reply_document(request, document_warranty);
}
