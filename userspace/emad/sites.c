// SPDX-License-Identifier: GPL-2.0-or-later
/* Sites, see sites.h. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api.h"
#include "ingest.h"
#include "schema.h"
#include "sites.h"

#define DAY_MS INT64_C(86400000)
#define MAP_SIDE_MAX 60
#define MAP_MODULES_MAX 2000

/* ---- what is entered ---- */

static int get_text(struct json_object *body, const char *name, size_t max, const char **ret_text,
		    char *err, size_t size)
{
	struct json_object *member = NULL;

	if (!json_object_object_get_ex(body, name, &member) || !member) {
		return 0;
	}
	if (!json_object_is_type(member, json_type_string) ||
	    (size_t)json_object_get_string_len(member) > max ||
	    strlen(json_object_get_string(member)) != (size_t)json_object_get_string_len(member)) {
		snprintf(err, size, "%s: expected a text of at most %zu bytes", name, max);
		return -EINVAL;
	}
	*ret_text = json_object_get_string(member);
	return 0;
}

static int get_number(struct json_object *body, const char *name, double min, double max,
		      double *ret_value, char *err, size_t size)
{
	struct json_object *member = NULL;
	double value;

	if (!json_object_object_get_ex(body, name, &member) || !member) {
		return 0;
	}
	value = json_object_get_double(member);
	if ((!json_object_is_type(member, json_type_double) &&
	     !json_object_is_type(member, json_type_int)) ||
	    !(value >= min && value <= max)) {
		snprintf(err, size, "%s: expected a number from %.10g to %.10g, found %.40s", name,
			 min, max, json_object_to_json_string(member));
		return -EINVAL;
	}
	*ret_value = value;
	return 0;
}

static int check_date(const char *text, char *err, size_t size)
{
	struct tm tm = { 0 };
	const char *end = text ? strptime(text, "%Y-%m-%d", &tm) : NULL;
	char again[16] = "";
	time_t at = timegm(&tm);

	/* A date that is none, as 30 February, comes back as another one. */
	if (end && !*end && gmtime_r(&at, &tm)) {
		strftime(again, sizeof(again), "%Y-%m-%d", &tm);
	}
	if (text && strcmp(text, again) != 0) {
		snprintf(err, size, "installed_on: expected a date as YYYY-MM-DD, found '%.20s'",
			 text);
		return -EINVAL;
	}
	return 0;
}

int sites_parse(struct json_object *body, struct sites_new *site, char *err, size_t size)
{
	double customer = -1;
	double years = 0;
	int ret;

	*site = (struct sites_new){ .lat = NAN, .lon = NAN, .customer = -1 };
	ret = get_text(body, "name", 100, &site->name, err, size);
	ret = ret ? ret : get_text(body, "address", 200, &site->address, err, size);
	ret = ret ? ret : get_number(body, "lat", -90, 90, &site->lat, err, size);
	ret = ret ? ret : get_number(body, "lon", -180, 180, &site->lon, err, size);
	ret = ret ? ret : get_number(body, "customer", 0, 1e15, &customer, err, size);
	ret = ret ? ret : get_text(body, "customer_name", 100, &site->customer_name, err, size);
	ret = ret ? ret : get_text(body, "installed_on", 10, &site->installed_on, err, size);
	ret = ret ? ret : check_date(site->installed_on, err, size);
	ret = ret ? ret : get_text(body, "installer", 100, &site->installer, err, size);
	ret = ret ? ret : get_number(body, "warranty_years", 10, 25, &years, err, size);
	ret = ret ? ret : get_text(body, "note", 1000, &site->note, err, size);
	if (ret == 0 && customer != floor(customer)) {
		snprintf(err, size, "customer: expected an integer, found %g", customer);
		return -EINVAL;
	}
	if (ret == 0 && years != 0 && years != 10 && years != 25) {
		snprintf(err, size, "warranty_years: expected 10 or 25");
		return -EINVAL;
	}
	site->customer = (int64_t)customer;
	site->warranty_years = (int64_t)years;
	return ret;
}

/* Is the customer one for whom this identity may make a site? The shard with a site of both knows.
 */
static int check_customer(struct http_request *request, int64_t customer)
{
	const struct auth_identity *identity = http_identity(request);
	struct api *api = http_ctx(request);
	int64_t known = 0;
	int ret = 0;

	if (identity->role == AUTH_OWNER) {
		return customer == identity->tenant ? 0 : -EPERM;
	}
	for (int i = 0; i < api->store->shards && !known; i++) {
		struct sql *sql = api_shard(request, i);
		int done =
			sql ? sql_one(sql, &known, 0,
				      "SELECT 1 FROM tenants WHERE id = $2 AND kind = 'customer' "
				      "AND ($1 = -1 OR EXISTS (SELECT 1 FROM sites WHERE customer "
				      "= $2 AND company = $1))",
				      "ii", api_tenant(request), customer)
			    : -ENOTCONN;

		ret = done < 0 ? done : ret;
	}
	return known ? 0 : ret < 0 ? ret : -EPERM;
}

int sites_number(struct http_request *request, struct sites_new *site)
{
	struct sql *first = api_shard(request, 0);
	int ret = first ? 0 : -ENOTCONN;

	site->id = SQL_NULL;
	if (first && sql_has_scope(first)) {
		ret = sql_one(first, &site->id, 0,
			      "SELECT nextval(pg_get_serial_sequence('sites', 'id'))", "");
	}
	if (ret < 0) {
		api_unreachable(request);
	}
	return ret;
}

struct sql *sites_place(struct http_request *request, const struct sites_new *site)
{
	struct api *api = http_ctx(request);
	struct sql *sql = api_shard(
		request, site->id == SQL_NULL ? 0 : store_home(site->id, api->store->shards));

	if (!sql) {
		api_unreachable(request);
	}
	return sql;
}

/* A shard has the tenants of its sites, which this one may not see before it has a site. */
static int copy_tenants(struct http_request *request, struct sql *sql, int64_t customer,
			int64_t company)
{
	struct sql *first = sql_shard(sql) ? api_shard(request, 0) : NULL;
	int ret = first ? sql_scope(first, STORE_ALL) : sql_shard(sql) ? -ENOTCONN : 0;

	if (!first || ret < 0) {
		return ret;
	}
	ret = sql_scope(sql, STORE_ALL);
	ret = ret < 0 ? ret : store_copy_tenant(first, sql, customer);
	ret = ret < 0 || company == SQL_NULL ? ret : store_copy_tenant(first, sql, company);
	return ret < 0 ? ret : sql_scope(sql, api_tenant(request));
}

int64_t sites_add(struct http_request *request, struct sql *sql, const struct sites_new *site,
		  int64_t now_ms)
{
	const struct auth_identity *identity = http_identity(request);
	int64_t company = identity->role == AUTH_INSTALLER ? identity->tenant : SQL_NULL;
	int64_t customer = site->customer;
	int64_t id;
	int ret;

	if (customer < 0 && identity->role == AUTH_OWNER) {
		customer = identity->tenant;
	}
	if (!site->name || !site->name[0] || (customer < 0 && !site->customer_name)) {
		return -EINVAL;
	}
	ret = customer < 0 ? 0 : check_customer(request, customer);
	if (ret == 0 && customer < 0) {
		customer = api_add_tenant(request, site->customer_name, "customer");
	}
	if (ret < 0 || customer < 0) {
		return ret < 0 ? ret : customer;
	}
	ret = copy_tenants(request, sql, customer, company);
	if (ret == 0) {
		ret = sql_one(
			sql, &id, 0,
			"INSERT INTO sites (id, customer, company, name, lat, lon, created_ms) "
			"VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
			"ninsddi", site->id, customer, company, site->name, site->lat, site->lon,
			now_ms);
	}
	if (ret == 0) {
		ret = sites_change(sql, id, site);
	}
	return ret < 0 ? ret : id;
}

int sites_change(struct sql *sql, int64_t id, const struct sites_new *site)
{
	int ret = sql_run(
		sql,
		"UPDATE sites SET name = COALESCE($2, name), address = COALESCE($3, address), "
		"lat = COALESCE($4, lat), lon = COALESCE($5, lon), installed_on = COALESCE($6, "
		"installed_on), installer = COALESCE($7, installer), warranty_years = COALESCE(NULLIF($8, 0), warranty_years), note = COALESCE($9, note) WHERE id = "
		"$1",
		"issddssis", id, site->name, site->address, site->lat, site->lon,
		site->installed_on, site->installer, site->warranty_years, site->note);

	return ret;
}

/* ---- map ---- */

static int check_place(struct json_object *item, int rows, int columns, char *err, size_t size)
{
	double row = -1;
	double column = -1;
	int ret = get_number(item, "row", 0, rows - 1, &row, err, size);

	ret = ret ? ret : get_number(item, "column", 0, columns - 1, &column, err, size);
	if (ret == 0 && (row < 0 || column < 0 || row != floor(row) || column != floor(column))) {
		snprintf(err, size, "expected row and column as integers");
		return -EINVAL;
	}
	return ret < 0 ? ret : (int)row * MAP_SIDE_MAX + (int)column;
}

static int check_serial(struct json_object *item, uint64_t *ret_serial, char *err, size_t size)
{
	const char *text = NULL;
	int ret = get_text(item, "serial", 12, &text, err, size);

	if (ret == 0 && (!text || id_parse(text, ret_serial) < 0)) {
		snprintf(err, size, "serial: expected 12 digits");
		ret = -EINVAL;
	}
	return ret;
}

static int check_modules(struct json_object *modules, int rows, int columns, char *err, size_t size)
{
	size_t n = json_object_array_length(modules);
	bool taken[MAP_SIDE_MAX * MAP_SIDE_MAX] = { false };
	uint64_t keys[MAP_MODULES_MAX];

	if (n > MAP_MODULES_MAX) {
		snprintf(err, size, "modules: expected at most %d, found %zu", MAP_MODULES_MAX, n);
		return -EINVAL;
	}
	for (size_t i = 0; i < n; i++) {
		struct json_object *module = json_object_array_get_idx(modules, i);
		int place = check_place(module, rows, columns, err, size);
		double input = 0;
		uint64_t serial = 0;
		int ret = place < 0 ? place : check_serial(module, &serial, err, size);

		ret = ret ? ret : get_number(module, "input", 1, REPORT_INPUTS, &input, err, size);
		if (ret < 0) {
			return ret;
		}
		keys[i] = serial * 8 + (uint64_t)input;
		for (size_t j = 0; j < i; j++) {
			if (keys[j] == keys[i]) {
				snprintf(err, size,
					 "modules: input %d of inverter %012llu is there twice",
					 (int)input, (unsigned long long)serial);
				return -EINVAL;
			}
		}
		if (input < 1 || taken[place]) {
			snprintf(err, size,
				 "modules: expected an input from 1 to %d and a free place",
				 REPORT_INPUTS);
			return -EINVAL;
		}
		taken[place] = true;
	}
	return 0;
}

int sites_check_map(struct json_object *map, char *err, size_t size)
{
	struct json_object *modules = json_object_object_get(map, "modules");
	struct json_object *labels = json_object_object_get(map, "labels");
	double rows = 0;
	double columns = 0;
	double angle;
	int ret = get_number(map, "rows", 1, MAP_SIDE_MAX, &rows, err, size);

	ret = ret ? ret : get_number(map, "columns", 1, MAP_SIDE_MAX, &columns, err, size);
	ret = ret ? ret : get_number(map, "azimuth_deg", 0, 360, &angle, err, size);
	ret = ret ? ret : get_number(map, "tilt_deg", 0, 90, &angle, err, size);
	if (ret < 0) {
		return ret;
	}
	if (rows < 1 || columns < 1 || !json_object_is_type(modules, json_type_array) ||
	    (labels && !json_object_is_type(labels, json_type_array))) {
		snprintf(err, size, "expected rows, columns, and modules as an array");
		return -EINVAL;
	}
	ret = check_modules(modules, (int)rows, (int)columns, err, size);
	for (size_t i = 0; ret == 0 && labels && i < json_object_array_length(labels); i++) {
		uint64_t serial;
		struct json_object *label = json_object_array_get_idx(labels, i);

		ret = check_place(label, (int)rows, (int)columns, err, size);
		ret = ret < 0 ? ret : check_serial(label, &serial, err, size);
	}
	return ret;
}

/* ---- enrolment ---- */

int sites_lock(struct http_request *request)
{
	struct api *api = http_ctx(request);
	struct sql *first;
	int64_t ignored;
	int ret;

	if (api->store->shards == 1) {
		return 0;
	}
	first = api_shard(request, 0);
	ret = first ? sql_one(first, &ignored, 0, "SELECT 1 FROM pg_advisory_lock($1)", "i",
			      (int64_t)SQL_LOCK_PLACE)
		    : -ENOTCONN;
	if (ret < 0) {
		api_unreachable(request);
	}
	return ret;
}

void sites_unlock(struct http_request *request)
{
	struct api *api = http_ctx(request);
	struct sql *first = api->store->shards > 1 ? api_shard(request, 0) : NULL;
	int64_t ignored;

	/* A connection that was lost has none. */
	if (first) {
		sql_one(first, &ignored, 0, "SELECT 1 FROM pg_advisory_unlock($1)", "i",
			(int64_t)SQL_LOCK_PLACE);
	}
}

/* An ECU is at one site: no other shard may have it. Return: 0; -EEXIST; or a negative errno. */
static int check_elsewhere(struct http_request *request, struct sql *sql, uint64_t ecu)
{
	struct api *api = http_ctx(request);
	int ret = 0;

	for (int i = 0; i < api->store->shards && ret == 0; i++) {
		struct sql *other = i == sql_shard(sql) ? NULL : api_shard(request, i);
		int64_t known = 0;

		if (i == sql_shard(sql)) {
			continue;
		}
		ret = other ? sql_scope(other, STORE_ALL) : -ENOTCONN;
		ret = ret < 0 ? ret
			      : sql_one(other, &known, 0, "SELECT 1 FROM ecus WHERE ecu = $1", "i",
					ecu);
		ret = ret < 0 ? ret : known ? -EEXIST : 0;
	}
	return ret;
}

static int put_code(struct sql *sql, int64_t site, uint64_t ecu, const uint8_t *hash,
		    int64_t expires_ms)
{
	int ret = sql_run(
		sql,
		"INSERT INTO ecus (ecu, site, code_hash, code_expires_ms) VALUES ($1, $2, $3, $4) "
		"ON CONFLICT (ecu) DO UPDATE SET code_hash = excluded.code_hash, code_expires_ms = "
		"excluded.code_expires_ms WHERE ecus.site = excluded.site",
		"iibi", ecu, site, hash, (size_t)INGEST_CODE_HASH_BYTES, expires_ms);

	return ret < 0 ? ret : ret == 0 ? -EEXIST : 0;
}

struct json_object *sites_enrol(struct http_request *request, struct sql *sql, int64_t site,
				uint64_t ecu, int64_t now_ms, int *ret_error)
{
	struct api *api = http_ctx(request);
	int64_t expires_ms = now_ms + INGEST_CODE_DAYS * DAY_MS;
	uint8_t hash[INGEST_CODE_HASH_BYTES];
	char code[AUTH_CODE_SIZE];
	struct json_object *json;
	char uri[CONFIG_TEXT_SIZE + 200];

	ingest_code(code, hash);
	*ret_error = check_elsewhere(request, sql, ecu);
	if (*ret_error == 0) {
		*ret_error = put_code(sql, site, ecu, hash, expires_ms);
	}
	if (*ret_error < 0) {
		return NULL;
	}
	snprintf(uri, sizeof(uri), "qs1-enrol:?u=%s&h=%s&c=%s", api->uplink, api->key_hash, code);
	json = json_object_new_object();
	json_id(json, "ecu", ecu);
	json_text(json, "code", code);
	json_int(json, "expires_ms", expires_ms);
	json_text(json, "uri", uri);
	return json;
}

/* ---- deletion ---- */

int sites_delete(struct sql *sql, int64_t id, struct sites_deleted *deleted)
{
	static const struct {
		const char *name;
		const char *text;
	} steps[] = {
#define X(name, of_site) { name, "DELETE FROM " name " WHERE " of_site },
		SCHEMA_BY_SITE(X)
#undef X
	};
	int ret = sql_begin(sql);

	for (size_t i = ARRAY_SIZE(steps); i-- > 0 && ret >= 0;) {
		ret = sql_run(sql, steps[i].text, "i", id);
		if (ret > 0 && strcmp(steps[i].name, "batches") == 0) {
			deleted->batches += ret;
		} else if (ret > 0 && strcmp(steps[i].name, "unit_days") == 0) {
			deleted->days += ret;
		}
	}
	if (ret >= 0) {
		ret = sql_commit(sql);
	} else {
		sql_rollback(sql);
	}
	deleted->sites += ret >= 0;
	return ret < 0 ? ret : 0;
}

int sites_delete_customer(struct sql *sql, int64_t tenant, struct sites_deleted *deleted)
{
	static const char *const steps[] = {
		"DELETE FROM rules WHERE tenant = $1",
		"DELETE FROM notifications WHERE tenant = $1",
		"DELETE FROM tenants WHERE id = $1",
	};
	int64_t site = 1;
	int ret = 0;

	while (ret == 0 && site > 0) {
		ret = sql_one(sql, &site, 0, "SELECT MIN(id) FROM sites WHERE customer = $1", "i",
			      tenant);
		if (ret == 0 && site > 0) {
			ret = sites_delete(sql, site, deleted);
		}
	}
	for (size_t i = 0; ret >= 0 && i < ARRAY_SIZE(steps); i++) {
		ret = sql_run(sql, steps[i], "i", tenant);
	}
	return ret < 0 ? ret : 0;
}
