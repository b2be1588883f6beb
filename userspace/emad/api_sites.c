// SPDX-License-Identifier: GPL-2.0-or-later
/* Sites: list, fleet, one site, its inverters, roof map, events, ECUs, orders. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <qs1/codes.h>

#include "api.h"
#include "days.h"
#include "derive.h"
#include "ingest.h"
#include "orders.h"
#include "service_clock.h"
#include "sites.h"

#define DAY_MS INT64_C(86400000)

static const char *const states[] = { "producing", "night", "fault", "silent", "new" };

static const char *const unit_states[] = {
#define X(id, name) name,
	QS1_STATES(X)
#undef X
};

static const char *const faults[] = {
#define X(id, text) #id,
	QS1_FAULTS(X)
#undef X
};

#define SITE_COLUMNS                                                                               \
	"sites.id, sites.name, address, lat, lon, state, power_w, energy_today_wh, units, "        \
	"reporting, alarms, last_ms, customer, c.name, company, i.name, zone_min, installed_on, "  \
	"installer, warranty_years, note"
#define SITE_FROM                                                                                  \
	" FROM sites JOIN tenants c ON c.id = customer LEFT JOIN tenants i ON i.id = company "

static struct json_object *site_json(const struct sql_rows *rows)
{
	struct json_object *json = json_object_new_object();

	json_row_int(json, "id", rows, 0);
	json_row_text(json, "name", rows, 1);
	json_row_text(json, "address", rows, 2);
	json_row_number(json, "lat", rows, 3, 6);
	json_row_number(json, "lon", rows, 4, 6);
	json_row_text(json, "state", rows, 5);
	json_row_number(json, "power_w", rows, 6, 0);
	json_row_number(json, "energy_today_wh", rows, 7, 0);
	json_int(json, "rated_w", sql_int(rows, 8) * SITES_RATED_W);
	json_row_int(json, "units", rows, 8);
	json_row_int(json, "units_reporting", rows, 9);
	json_row_int(json, "alarms", rows, 10);
	json_row_int(json, "last_ms", rows, 11);
	json_row_int(json, "customer", rows, 12);
	json_row_text(json, "customer_name", rows, 13);
	json_row_int(json, "company", rows, 14);
	json_row_text(json, "company_name", rows, 15);
	return json;
}

/* ---- list ---- */

#define LIST_WHERE                                                                                 \
	API_VISIBLE                                                                                \
	" AND ($2 = '' OR LOWER(sites.name) LIKE $2 ESCAPE '\\' OR LOWER(address) LIKE "           \
	"$2 ESCAPE '\\') AND ($3 = '' OR state = $3) AND (alarms > 0 OR $4 = 0)"
/* Rows of the page p. */
#define LIST_ROWS(key)                                                                             \
	" p JOIN sites ON sites.id = page JOIN tenants c ON c.id = customer LEFT JOIN tenants i "  \
	"ON i.id = company ORDER BY " key ", sites.id"
/* Sort only the numbers of 100,000 sites, and count them in a separate query: a window function
 * over whole rows took ten times as long. */
#define LIST(key)                                                                                  \
	"SELECT " SITE_COLUMNS ", (SELECT COUNT(*) FROM sites WHERE " LIST_WHERE                   \
	") FROM (SELECT sites.id AS page FROM sites WHERE " LIST_WHERE " ORDER BY " key            \
	", sites.id LIMIT $5 OFFSET $6)" LIST_ROWS(key)
/* The same, looking for a text in each site once. */
#define LIST_SEARCH(key)                                                                           \
	"WITH found AS MATERIALIZED (SELECT sites.id, " key " AS key FROM sites WHERE " LIST_WHERE \
	") SELECT " SITE_COLUMNS ", (SELECT COUNT(*) FROM found) FROM (SELECT id AS page FROM "    \
	"found ORDER BY key, id LIMIT $5 OFFSET $6)" LIST_ROWS(key)

/* Columns: name in the query, key of the order, the same by SITE_COLUMNS: column, text, falling. */
#define LISTS(X)                                                                                   \
	X("name", "sites.name", 1, true, false)                                                    \
	X("power", "-COALESCE(power_w, -1)", 6, false, true)                                       \
	X("energy", "-COALESCE(energy_today_wh, -1)", 7, false, true)                              \
	X("alarms", "-alarms", 10, false, true)                                                    \
	X("last", "-COALESCE(last_ms, -1)", 11, false, true)

static const struct {
	const char *name;
	const char *all;
	const char *search;
	struct api_order order;
} lists[] = {
#define X(name, key, sort_column, is_text, is_falling)                                             \
	{ name,                                                                                    \
	  LIST(key),                                                                               \
	  LIST_SEARCH(key),                                                                        \
	  { .column = sort_column, .text = is_text, .falling = is_falling } },
	LISTS(X)
#undef X
};

/* "%text%" in lower case, with the wildcards of LIKE quoted; "" for none. */
static void make_pattern(const char *search, char *pattern, size_t size)
{
	size_t n = 0;

	pattern[0] = '\0';
	if (!search || !search[0]) {
		return;
	}
	pattern[n++] = '%';
	for (; *search && n + 4 < size; search++) {
		if (strchr("%_\\", *search)) {
			pattern[n++] = '\\';
		}
		pattern[n++] = *search >= 'A' && *search <= 'Z' ? *search - 'A' + 'a' : *search;
	}
	pattern[n++] = '%';
	pattern[n] = '\0';
}

static bool is_state(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (strcmp(states[i], name) == 0) {
			return true;
		}
	}
	return false;
}

/* Sites of all filters, in the column after those of the list. */
static int64_t sum_totals(const struct api_merge *merge)
{
	int64_t total = 0;

	for (int i = 0; i < merge->shards; i++) {
		total += merge->rows[i] ? sql_int(merge->rows[i], 21) : 0;
	}
	return total;
}

/* Replies with the rows from @skip to before @end of the merged list. */
static void reply_page(struct http_request *request, struct api_merge *merge, int64_t skip,
		       int64_t end)
{
	struct json_object *list = json_object_new_array();
	struct json_object *json = json_object_new_object();
	const struct sql_rows *rows;
	int ret = 0;

	json_int(json, "total", sum_totals(merge));
	json_object_object_add(json, "sites", list);
	merge->left = end;
	for (int64_t i = 0; (rows = api_merge_next(merge, &ret)); i++) {
		if (i >= skip) {
			json_object_array_add(list, site_json(rows));
		}
	}
	api_merge_close(merge);
	if (ret < 0) {
		json_object_put(json);
		http_reply_errno(request, ret, "the database did not answer: %s", strerror(-ret));
		return;
	}
	api_missing(json, merge->missing);
	http_reply_json(request, 200, json);
}

void api_get_sites(struct http_request *request)
{
	struct api *api = http_ctx(request);
	const char *state = http_query(request, "state");
	const char *sort = http_query(request, "sort");
	const char *alarms = http_query(request, "alarms");
	struct api_merge merge;
	int64_t offset, limit;
	int64_t skip = 0;
	char pattern[256];
	size_t i = 0;

	if (!http_query_int(request, "offset", 0, INT32_MAX, 0, &offset) ||
	    !http_query_int(request, "limit", 1, 1000, 100, &limit)) {
		return;
	}
	while (sort && i < ARRAY_SIZE(lists) && strcmp(lists[i].name, sort) != 0) {
		i++;
	}
	if (i == ARRAY_SIZE(lists)) {
		http_reply_error(
			request, 400, "invalid",
			"sort: expected name, power, energy, alarms or last, found '%.20s'", sort);
		return;
	}
	if (state && *state && !is_state(state)) {
		http_reply_error(request, 400, "invalid",
				 "state: expected producing, night, fault, silent or new, found "
				 "'%.20s'",
				 state);
		return;
	}
	make_pattern(http_query(request, "search"), pattern, sizeof(pattern));
	/* Any shard may have all of the rows before the page. */
	if (api->store->shards > 1) {
		skip = offset;
	}
	if (api_merge_open(request, &merge, &lists[i].order,
			   pattern[0] ? lists[i].search : lists[i].all, "issiii",
			   api_tenant(request), pattern, state ? state : "",
			   (int64_t)(alarms && strcmp(alarms, "true") == 0), skip + limit,
			   offset - skip) == 0) {
		reply_page(request, &merge, skip, skip + limit);
	}
}

/* Tenants whose sites are counted, see below. */
#define COUNTED 1024

/* How many sites of a tenant each shard had when it last answered. A shard that is away cannot say
 * how many are missing. */
struct counted {
	int64_t tenant;
	unsigned int known; /* a bit for each shard */
	int64_t sites[STORE_SHARDS_MAX];
};

static struct {
	pthread_mutex_t lock;
	struct counted entry[COUNTED];
} counts = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Under the lock. */
static struct counted *counted_of(int64_t tenant)
{
	struct counted *entry = &counts.entry[store_hash(tenant) % COUNTED];

	if (entry->tenant != tenant) {
		*entry = (struct counted){ .tenant = tenant };
	}
	return entry;
}

/* Keeps the counts of shards that have answered; says how many sites the others had, if known. */
static void put_missing_sites(struct json_object *json, int64_t tenant,
			      const struct api_merge *merge, const int64_t *sites)
{
	struct counted *counted;
	int64_t missing = 0;
	bool known;

	pthread_mutex_lock(&counts.lock);
	counted = counted_of(tenant);
	for (int i = 0; i < merge->shards; i++) {
		if (merge->missing >> i & 1) {
			missing += counted->sites[i];
		} else {
			counted->sites[i] = sites[i];
			counted->known |= 1u << i;
		}
	}
	known = (merge->missing & ~counted->known) == 0;
	pthread_mutex_unlock(&counts.lock);
	if (merge->missing && known) {
		json_int(json, "missing_sites", missing);
	}
}

void api_get_fleet(struct http_request *request)
{
	static const struct api_order any = { 0 };
	int64_t of_shard[STORE_SHARDS_MAX] = { 0 };
	struct json_object *json, *by_state, *count;
	int64_t sites = 0, units = 0, alarms = 0;
	double power_w = 0, energy_wh = 0;
	const struct sql_rows *rows;
	struct api_merge merge;
	int ret;

	if (api_merge_open(request, &merge, &any,
			   "SELECT COUNT(*), state, SUM(units), SUM(alarms), SUM(COALESCE(power_w, "
			   "0)), SUM(COALESCE(energy_today_wh, 0)) FROM sites WHERE " API_VISIBLE
			   " GROUP BY state",
			   "i", api_tenant(request)) < 0) {
		return;
	}
	by_state = json_object_new_object();
	while ((rows = api_merge_next(&merge, &ret))) {
		if (!json_object_object_get_ex(by_state, sql_text(rows, 1), &count)) {
			count = json_object_new_int64(0);
			json_object_object_add(by_state, sql_text(rows, 1), count);
		}
		json_object_int_inc(count, sql_int(rows, 0));
		sites += sql_int(rows, 0);
		of_shard[merge.current] += sql_int(rows, 0);
		units += sql_int(rows, 2);
		alarms += sql_int(rows, 3);
		power_w += sql_real(rows, 4);
		energy_wh += sql_real(rows, 5);
	}
	api_merge_close(&merge);
	if (ret < 0) {
		json_object_put(by_state);
		http_reply_errno(request, ret, "the database did not answer: %s", strerror(-ret));
		return;
	}
	json = json_object_new_object();
	json_int(json, "sites", sites);
	json_int(json, "units", units);
	json_number(json, "power_w", power_w, 0);
	json_number(json, "energy_today_wh", energy_wh, 0);
	json_int(json, "alarms", alarms);
	json_object_object_add(json, "states", by_state);
	api_missing(json, merge.missing);
	put_missing_sites(json, api_tenant(request), &merge, of_shard);
	http_reply_json(request, 200, json);
}

/* A point of the map: site, latitude, longitude, number of its state. */
static struct json_object *map_json(const struct sql_rows *rows)
{
	struct json_object *site = json_object_new_array_ext(4);
	size_t state = 0;

	while (state < ARRAY_SIZE(states) - 1 && strcmp(states[state], sql_text(rows, 3)) != 0) {
		state++;
	}
	json_object_array_add(site, json_object_new_int64(sql_int(rows, 0)));
	json_object_array_add(site, json_decimal(sql_real(rows, 1), 4));
	json_object_array_add(site, json_decimal(sql_real(rows, 2), 4));
	json_object_array_add(site, json_object_new_int64((int64_t)state));
	return site;
}

void api_get_fleet_map(struct http_request *request)
{
	static const struct api_order by_id = { 0 };
	struct api_merge merge;

	if (api_merge_open(request, &merge, &by_id,
			   "SELECT id, lat, lon, state FROM sites WHERE lat IS NOT NULL AND lon IS "
			   "NOT NULL AND " API_VISIBLE " ORDER BY id LIMIT 200000",
			   "i", api_tenant(request)) == 0) {
		api_reply_merge(request, &merge, "sites", map_json);
	}
}

/* ---- one site ---- */

static int ecus_json(struct sql *sql, int64_t site, struct json_object *list)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(
		sql, &rows,
		"SELECT ecu, CASE WHEN revoked = 1 THEN 'revoked' WHEN key_hash IS NULL THEN "
		"'waiting' ELSE 'enrolled' END, last_ms, clock_offset_ms, (SELECT value FROM "
		"settings WHERE settings.ecu = ecus.ecu AND serial = 0 AND name = 'version'), "
		"(SELECT MAX(through) FROM epochs WHERE epochs.ecu = ecus.ecu) FROM ecus "
		"WHERE site = $1 ORDER BY ecu",
		"i", site);

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		struct json_object *json = json_object_new_object();

		json_id(json, "ecu", (uint64_t)sql_int(rows, 0));
		json_row_text(json, "state", rows, 1);
		json_row_int(json, "last_ms", rows, 2);
		json_row_int(json, "clock_offset_ms", rows, 3);
		json_row_text(json, "version", rows, 4);
		json_row_int(json, "stored_through", rows, 5);
		json_object_array_add(list, json);
		ret = 0;
	}
	return ret;
}

static void reply_site(struct http_request *request, struct sql *sql, unsigned int status,
		       int64_t site)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	struct json_object *json = NULL;
	struct json_object *ecus;
	int ret = sql_query(sql, &rows,
			    "SELECT " SITE_COLUMNS SITE_FROM "WHERE sites.id = $2 AND " API_VISIBLE,
			    "ii", api_tenant(request), site);

	if (ret == 0) {
		ret = sql_next(rows);
	}
	if (ret > 0) {
		json = site_json(rows);
		json_row_int(json, "zone_min", rows, 16);
		json_row_text(json, "installed_on", rows, 17);
		json_row_text(json, "installer", rows, 18);
		json_row_int(json, "warranty_years", rows, 19);
		json_row_text(json, "note", rows, 20);
		ecus = json_object_new_array();
		json_object_object_add(json, "ecus", ecus);
		ret = ecus_json(sql, site, ecus);
	} else if (ret == 0) {
		ret = -ENOENT;
	}
	if (ret < 0) {
		json_object_put(json);
		api_failed(request, sql, ret);
		return;
	}
	http_reply_json(request, status, json);
}

void api_get_sites_id(struct http_request *request)
{
	struct api_site site;
	struct sql *sql = api_site(request, &site);

	if (sql) {
		reply_site(request, sql, 200, site.id);
	}
}

bool sites_read(struct http_request *request, struct json_object *body, struct sites_new *site)
{
	char err[200];

	if (sites_parse(body, site, err, sizeof(err)) < 0) {
		http_reply_error(request, 400, "invalid", "%s", err);
		return false;
	}
	return true;
}

void api_post_sites(struct http_request *request)
{
	struct sites_new new = { 0 };
	struct sql *sql;
	int64_t id;

	if (!sites_read(request, http_json(request), &new) || sites_number(request, &new) < 0 ||
	    !(sql = sites_place(request, &new))) {
		return;
	}
	id = sites_add(request, sql, &new, clock_wall_ms());
	if (id == -EPERM) {
		http_reply_error(request, 403, "forbidden",
				 "the customer %" PRId64 " is not one of this tenant's",
				 new.customer);
		return;
	}
	if (id == -EINVAL) {
		http_reply_error(request, 400, "invalid",
				 "expected name, and customer or customer_name");
		return;
	}
	if (id < 0) {
		api_failed(request, sql, (int)id);
		return;
	}
	api_audit(request, "site-add", new.name, "");
	reply_site(request, sql, 201, id);
}

void api_put_sites_id(struct http_request *request)
{
	struct sites_new new = { 0 };
	struct api_site site;
	struct sql *sql = api_site(request, &site);
	int ret;

	if (!sql || !sites_read(request, http_json(request), &new)) {
		return;
	}
	ret = sites_change(sql, site.id, &new);
	if (ret <= 0) {
		api_failed(request, sql, ret < 0 ? ret : -ESTALE);
		return;
	}
	api_audit(request, "site-change", http_param(request, "id"),
		  json_object_to_json_string(http_json(request)));
	reply_site(request, sql, 200, site.id);
}

static void reply_deleted(struct http_request *request, const struct sites_deleted *deleted,
			  int64_t tenant)
{
	struct json_object *json = json_object_new_object();

	json_int(json, "tenant", tenant);
	json_int(json, "sites", deleted->sites);
	json_int(json, "batches", deleted->batches);
	json_int(json, "days", deleted->days);
	json_int(json, "users", deleted->users);
	json_flag(json, "key_destroyed", deleted->key_destroyed);
	http_reply_json(request, 200, json);
}

void api_delete_sites_id(struct http_request *request)
{
	struct sites_deleted deleted = { 0 };
	struct api_site site;
	struct sql *sql = api_site(request, &site);
	int ret;

	if (!sql) {
		return;
	}
	ret = sites_delete(sql, site.id, &deleted);
	if (ret < 0) {
		api_failed(request, sql, ret);
		return;
	}
	api_audit(request, "site-delete", http_param(request, "id"), "");
	reply_deleted(request, &deleted, site.customer);
}

void api_delete_tenants_id(struct http_request *request)
{
	struct api *api = http_ctx(request);
	int64_t own = api_tenant(request);
	struct sites_deleted deleted = { 0 };
	const char *text = http_param(request, "id");
	/* The first customer is number 0. */
	int64_t tenant = strcmp(text, "0") == 0 ? 0
			 : api_path_id(request) ? api_path_id(request)
						: -1;
	struct sql *sql[STORE_SHARDS_MAX];
	int64_t known = 0;
	int ret;

	if (api_reach_all(request, sql) < 0) {
		return;
	}
	ret = sql_one(sql[0], &known, 0, "SELECT 1 FROM tenants WHERE id = $1", "i", tenant);
	if (ret < 0) {
		api_failed(request, sql[0], ret);
		return;
	}
	if (!known || (own != STORE_ALL && own != tenant)) {
		http_reply_error(request, 404, "not_found", "there is no tenant '%.20s'", text);
		return;
	}
	ret = vault_destroy(api->store->vault, tenant);
	deleted.key_destroyed = ret == 0;
	/* Shard 0 is the last one: it knows the tenant until nothing of it is left elsewhere. */
	for (int i = api->store->shards - 1; i >= 0 && ret == 0; i--) {
		ret = sites_delete_customer(sql[i], tenant, &deleted);
		if (ret < 0) {
			api_failed(request, sql[i], ret);
			return;
		}
	}
	deleted.users = ret < 0 ? ret : auth_tenant_remove(api->auth, tenant);
	if (deleted.users < 0) {
		http_reply_errno(request, (int)deleted.users, "the tenant cannot be deleted");
		return;
	}
	api_audit(request, "tenant-delete", text, "");
	reply_deleted(request, &deleted, tenant);
}

/* ---- inverters ---- */

/* NAN where the counters of the day are unknown. */
static double energy_of_day(const struct sql_rows *rows, int input)
{
	return (sql_real(rows, 11 + input) - sql_real(rows, 7 + input)) / 10;
}

static void inputs_json(struct json_object *json, const struct report *report,
			const struct sql_rows *rows)
{
	struct json_object *inputs = json_object_new_array_ext(REPORT_INPUTS);

	for (int i = 0; i < REPORT_INPUTS; i++) {
		struct json_object *input = json_object_new_object();
		double v = report_get(report, (enum report_field)(REPORT_V1 + i));
		double a = report_get(report, (enum report_field)(REPORT_I1 + i));

		json_int(input, "input", i + 1);
		json_number(input, "v", v, 1);
		json_number(input, "i", a, 2);
		json_number(input, "power_w", v * a, 1);
		json_number(input, "energy_today_wh", energy_of_day(rows, i), 1);
		json_object_array_add(inputs, input);
	}
	json_object_object_add(json, "inputs", inputs);
}

static void faults_json(struct json_object *json, int64_t set)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		if (set != REPORT_ABSENT && (set >> i & 1)) {
			json_object_array_add(list, json_object_new_string(faults[i]));
		}
	}
	json_object_object_add(json, "faults", list);
}

/* Columns of api_get_sites_id_inverters(). */
static struct json_object *inverter_json(const struct sql_rows *rows)
{
	struct json_object *json = json_object_new_object();
	struct unpacker unpacker = { 0 };
	struct report *reports = NULL;
	struct report none;
	const struct report *report = &none;
	double energy_wh = 0;
	int64_t state;
	size_t n = 0;

	report_clear(&none);
	unpacker.bytes = sql_blob(rows, 3, &unpacker.n);
	if (report_unpack(&unpacker, 1, &reports, &n) == 0 && n == 1) {
		report = reports;
	}
	for (int i = 0; i < REPORT_INPUTS; i++) {
		energy_wh += energy_of_day(rows, i);
	}
	state = report->value[REPORT_STATE];
	json_id(json, "serial", (uint64_t)sql_int(rows, 0));
	json_id(json, "ecu", (uint64_t)sql_int(rows, 1));
	json_row_text(json, "name", rows, 4);
	json_row_text(json, "phase", rows, 5);
	json_text(json, "state", state >= 0 && state < QS1_STATE_COUNT ? unit_states[state] : NULL);
	faults_json(json, report->value[REPORT_FAULTS]);
	json_int(json, "time_ms", sql_int(rows, 2) * 1000);
	json_number(json, "power_w", report_get(report, REPORT_POWER), 0);
	json_number(json, "energy_today_wh", energy_wh, 1);
	json_number(json, "temperature_c", report_get(report, REPORT_TEMPERATURE), 0);
	json_number(json, "link_pct", report_get(report, REPORT_LINK), 0);
	json_number(json, "grid_v", report_get(report, REPORT_GRID_V), 1);
	json_number(json, "grid_hz", report_get(report, REPORT_GRID_HZ), 2);
	json_number(json, "limit_w", report_get(report, REPORT_LIMIT), 0);
	inputs_json(json, report, rows);
	free(reports);
	return json;
}

void api_get_sites_id_inverters(struct http_request *request)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	struct api_site site;
	struct sql *sql = api_site(request, &site);
	int ret;

	if (!sql) {
		return;
	}
	ret = sql_query(
		sql, &rows,
		"SELECT units.serial, units.ecu, time_s, newest, (SELECT value FROM settings WHERE "
		"settings.ecu = units.ecu AND settings.serial = units.serial AND name = 'name'), "
		"(SELECT value FROM settings WHERE settings.ecu = units.ecu AND settings.serial = "
		"units.serial AND name = 'phase'), 0, first1, first2, first3, first4, last1, last2, "
		"last3, last4 FROM units LEFT JOIN unit_days ON unit_days.site = units.site AND "
		"unit_days.serial = units.serial AND day = $2 WHERE units.site = $1 ORDER BY "
		"units.serial",
		"ii", site.id, day_of(clock_wall_ms() / 1000, (int)site.zone_min));
	api_reply_rows(request, sql, ret, rows, "inverters", inverter_json);
}

/* ---- map ---- */

void api_get_sites_id_map(struct http_request *request)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	struct api_site site;
	struct sql *sql = api_site(request, &site);
	int ret;

	if (!sql) {
		return;
	}
	ret = sql_query(sql, &rows, "SELECT COALESCE(map, $2) FROM sites WHERE id = $1", "is",
			site.id, SITES_MAP_EMPTY);
	if (ret == 0 && (ret = sql_next(rows)) > 0) {
		const char *text = sql_text(rows, 0);

		http_reply(request, 200, "application/json", text, strlen(text));
		return;
	}
	api_failed(request, sql, ret);
}

void api_put_sites_id_map(struct http_request *request)
{
	struct api_site site;
	struct sql *sql = api_site(request, &site);
	const char *text;
	char err[200];
	int ret;

	if (!sql) {
		return;
	}
	if (sites_check_map(http_json(request), err, sizeof(err)) < 0) {
		http_reply_error(request, 400, "invalid", "%s", err);
		return;
	}
	text = json_object_to_json_string_ext(http_json(request), JSON_C_TO_STRING_PLAIN);
	ret = sql_run(sql, "UPDATE sites SET map = $2 WHERE id = $1", "is", site.id, text);
	if (ret <= 0) {
		api_failed(request, sql, ret < 0 ? ret : -ESTALE);
		return;
	}
	api_audit(request, "map", http_param(request, "id"), "");
	http_reply(request, 200, "application/json", text, strlen(text));
}

/* ---- events ---- */

static struct json_object *event_json(const struct sql_rows *rows)
{
	struct json_object *event = json_object_new_object();

	json_row_int(event, "id", rows, 0);
	json_row_int(event, "time_ms", rows, 1);
	json_id(event, "ecu", (uint64_t)sql_int(rows, 2));
	json_id(event, "serial", (uint64_t)sql_int(rows, 3));
	json_row_text(event, "name", rows, 4);
	json_row_int(event, "value", rows, 5);
	json_row_text(event, "text", rows, 6);
	return event;
}

void api_get_sites_id_events(struct http_request *request)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	const char *serial_text = http_query(request, "serial");
	int64_t before, limit;
	uint64_t serial = 0;
	struct sql *sql;
	struct api_site site;
	int ret;

	if (!http_query_int(request, "before", 1, INT64_MAX, INT64_MAX, &before) ||
	    !http_query_int(request, "limit", 1, 1000, 100, &limit)) {
		return;
	}
	if (serial_text && id_parse(serial_text, &serial) < 0) {
		http_reply_error(request, 400, "invalid", "serial: expected 12 digits");
		return;
	}
	sql = api_site(request, &site);
	if (!sql) {
		return;
	}
	ret = sql_query(
		sql, &rows,
		"SELECT id, time_ms, ecu, serial, name, value, text FROM events WHERE site = $1 "
		"AND id < $2 AND ($3 = 0 OR serial = $3) ORDER BY id DESC LIMIT $4",
		"iiii", site.id, before, serial, limit);
	api_reply_rows(request, sql, ret, rows, "events", event_json);
}

/* ---- ECUs ---- */

void api_post_sites_id_ecus(struct http_request *request)
{
	struct json_object *json;
	struct api_site site;
	struct sql *sql = api_site(request, &site);
	const char *text;
	uint64_t ecu;
	int ret;

	if (!sql || !http_text(request, "ecu", 1, 20, &text)) {
		return;
	}
	if (id_parse(text, &ecu) < 0) {
		http_reply_error(request, 400, "invalid", "ecu: expected 12 digits, found '%s'",
				 text);
		return;
	}
	if (sites_lock(request) < 0) {
		return;
	}
	json = sites_enrol(request, sql, site.id, ecu, clock_wall_ms(), &ret);
	sites_unlock(request);
	if (ret == -EEXIST) {
		http_reply_error(request, 409, "exists", "ECU %s belongs to another site", text);
		return;
	}
	if (ret < 0) {
		api_failed(request, sql, ret);
		return;
	}
	api_audit(request, "ecu-enrol", text, "");
	http_reply_json(request, 201, json);
}

void api_delete_sites_id_ecus_ecu(struct http_request *request)
{
	const char *text = http_param(request, "ecu");
	struct api_site site;
	struct sql *sql = api_site(request, &site);
	uint64_t ecu = 0;
	int ret;

	if (!sql) {
		return;
	}
	ret = id_parse(text, &ecu) < 0
		      ? 0
		      : sql_run(sql,
				"UPDATE ecus SET revoked = 1, key_hash = NULL, code_hash = NULL WHERE ecu "
				"= $1 AND site = $2",
				"ii", ecu, site.id);
	if (ret < 0) {
		api_failed(request, sql, ret);
	} else if (ret == 0) {
		http_reply_error(request, 404, "not_found", "the site has no ECU '%.20s'", text);
	} else {
		api_audit(request, "ecu-revoke", text, "");
		http_reply_none(request);
	}
}

/* ---- orders ---- */

static void reply_orders(struct http_request *request, struct sql *sql, int64_t site,
			 const char *id, unsigned int status)
{
	struct json_object *list, *json;
	int64_t before, limit;

	if (!http_query_int(request, "before", 1, INT64_MAX, INT64_MAX, &before) ||
	    !http_query_int(request, "limit", 1, 1000, 100, &limit)) {
		return;
	}
	list = orders_list(sql, site, id, before, limit);
	if (!list) {
		api_failed(request, sql, -EIO);
		return;
	}
	if (!id) {
		json = json_object_new_object();
		json_object_object_add(json, "orders", list);
		http_reply_json(request, status, json);
		return;
	}
	if (json_object_array_length(list) == 0) {
		http_reply_error(request, 404, "not_found", "the site has no order '%.40s'", id);
	} else {
		http_reply_json(request, status,
				json_object_get(json_object_array_get_idx(list, 0)));
	}
	json_object_put(list);
}

void api_get_sites_id_commands(struct http_request *request)
{
	struct api_site site;
	struct sql *sql = api_site(request, &site);

	if (sql) {
		reply_orders(request, sql, site.id, NULL, 200);
	}
}

void api_get_sites_id_commands_order(struct http_request *request)
{
	struct api_site site;
	struct sql *sql = api_site(request, &site);

	if (sql) {
		reply_orders(request, sql, site.id, http_param(request, "order"), 200);
	}
}

/* An inverter of the site, or 0 for the whole site. False after a reply. */
static bool order_serial(struct http_request *request, struct sql *sql, int64_t site,
			 uint64_t *ret_serial)
{
	const char *text = NULL;
	int64_t known = 1;
	int ret = 0;

	*ret_serial = 0;
	if (!api_text(request, "serial", 20, &text)) {
		return false;
	}
	if (text && id_parse(text, ret_serial) < 0) {
		http_reply_error(request, 400, "invalid", "serial: expected 12 digits, found '%s'",
				 text);
		return false;
	}
	if (text) {
		ret = sql_one(sql, &known, 0, "SELECT 1 FROM units WHERE site = $1 AND serial = $2",
			      "ii", site, *ret_serial);
	}
	if (ret < 0) {
		api_failed(request, sql, ret);
	} else if (!known) {
		http_reply_error(request, 404, "not_found", "the site has no inverter %012" PRIu64,
				 *ret_serial);
	}
	return ret == 0 && known;
}

void api_post_sites_id_commands(struct http_request *request)
{
	static const int64_t usual_ttl_s = ORDERS_TTL_S;
	struct api *api = http_ctx(request);
	const struct auth_identity *identity = http_identity(request);
	struct json_object *arguments;
	char id[ORDERS_ID_SIZE];
	const char *command;
	struct api_site site;
	struct sql *sql = api_site(request, &site);
	char by[AUTH_NAME_SIZE + 24];
	char err[200];
	uint64_t serial;
	int64_t ttl_s;
	int ret;

	if (!sql || !http_text(request, "command", 1, 20, &command) ||
	    !api_member(request, "arguments", json_type_object, &arguments) ||
	    !http_int(request, "ttl_s", 10, 86400, &usual_ttl_s, &ttl_s) ||
	    !order_serial(request, sql, site.id, &serial)) {
		return;
	}
	ret = orders_check(command, arguments, identity->role, err, sizeof(err));
	if (ret < 0) {
		http_reply_error(request, ret == -EPERM ? 403 : 400,
				 ret == -EPERM ? "forbidden" : "invalid", "%s", err);
		return;
	}
	snprintf(by, sizeof(by), "%s (%s)", identity->name, auth_role_name(identity->role));
	ret = orders_add(sql, site.id, serial, command, arguments, by,
			 auth_role_name(identity->role), ttl_s, clock_wall_ms(), id);
	if (ret < 0) {
		api_failed(request, sql, ret);
		return;
	}
	api_audit(request, command, http_param(request, "id"),
		  arguments ? json_object_to_json_string(arguments) : "");
	if (api->ingest) {
		ingest_wake(api->ingest);
	}
	reply_orders(request, sql, site.id, id, 202);
}
