// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Jobs of the installer's app: a site with map, ECU and scanned inverters, entered without network
 * and handed over later. A job has an identity that the app makes, so that a second hand-over
 * changes nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api.h"
#include "commands.h"
#include "ingest.h"
#include "job.h"
#include "orders.h"
#include "service_clock.h"
#include "sites.h"

#define INVERTERS_MAX 254

static const char *job_state(const struct sql_rows *rows, const char *order_state)
{
	if (order_state && strcmp(order_state, "confirmed") == 0) {
		return "done";
	}
	if (order_state && strcmp(order_state, "queued") != 0 && strcmp(order_state, "sent") != 0) {
		return "failed";
	}
	if (order_state) {
		return "commissioning";
	}
	return sql_is_null(rows, 3) ? "waiting" : "enrolled";
}

/* The shard of a job that the user of the request may see; as api_find(). */
static struct sql *find_job(struct http_request *request, const char *id, int64_t *ret_site)
{
	return api_find(request, ret_site,
			"SELECT site FROM jobs JOIN sites ON sites.id = site WHERE jobs.id = $2 "
			"AND " API_VISIBLE,
			"is", api_tenant(request), id);
}

/* @enrolment is taken over; NULL for none. */
static void reply_job(struct http_request *request, struct sql *sql, const char *id,
		      unsigned int status, struct json_object *enrolment)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	struct json_object *json, *orders;
	const char *state = NULL;
	int ret = sql_query(
		sql, &rows,
		"SELECT jobs.site, jobs.created_ms, commission_order, (SELECT key_hash FROM "
		"ecus WHERE ecus.ecu = jobs.ecu) FROM jobs JOIN sites ON sites.id = jobs.site "
		"WHERE jobs.id = $2 AND " API_VISIBLE,
		"is", api_tenant(request), id);

	if (ret == 0) {
		ret = sql_next(rows);
	}
	if (ret <= 0) {
		json_object_put(enrolment);
		if (ret == 0) {
			http_reply_error(request, 404, "not_found", "there is no job '%.40s'", id);
		} else {
			api_failed(request, sql, ret);
		}
		return;
	}
	orders = sql_is_null(rows, 2)
			 ? json_object_new_array()
			 : orders_list(sql, sql_int(rows, 0), sql_text(rows, 2), INT64_MAX, 1);
	if (!orders) {
		json_object_put(enrolment);
		api_failed(request, sql, -EIO);
		return;
	}
	if (json_object_array_length(orders) > 0) {
		state = json_object_get_string(
			json_object_object_get(json_object_array_get_idx(orders, 0), "state"));
	}
	json = json_object_new_object();
	json_text(json, "id", id);
	json_row_int(json, "site", rows, 0);
	json_text(json, "state", job_state(rows, state));
	json_object_object_add(json, "enrolment", enrolment);
	json_object_object_add(json, "orders", orders);
	json_row_int(json, "created_ms", rows, 1);
	http_reply_json(request, status, json);
}

void api_get_jobs_job(struct http_request *request)
{
	struct sql *sql = find_job(request, http_param(request, "job"), NULL);

	if (sql) {
		reply_job(request, sql, http_param(request, "job"), 200, NULL);
	}
}

/* ---- hand-over ---- */

/**
 * struct handover - as handed over
 */
struct handover {
	const char *id;
	int64_t site;
	struct sites_new new_site;
	bool has_ecu;
	uint64_t ecu;
	struct json_object *map;
	struct json_object *inverters;
	bool commission;
};

static int refuse(struct http_request *request, const char *message)
{
	http_reply_error(request, 400, "invalid", "%s", message);
	return -EINVAL;
}

static int read_inverters(struct http_request *request, struct handover *job)
{
	size_t n = job->inverters ? json_object_array_length(job->inverters) : 0;
	uint64_t number[INVERTERS_MAX];

	if (n > INVERTERS_MAX) {
		return refuse(request, "inverters: expected at most 254");
	}
	for (size_t i = 0; i < n; i++) {
		struct json_object *serial = json_object_object_get(
			json_object_array_get_idx(job->inverters, i), "serial");

		if (!json_object_is_type(serial, json_type_string) ||
		    id_parse(json_object_get_string(serial), &number[i]) < 0) {
			return refuse(request, "inverters: expected serial as 12 digits");
		}
		for (size_t j = 0; j < i; j++) {
			if (number[j] == number[i]) {
				/* the order to commission waits for as many inverters */
				return refuse(request, "inverters: a serial is there twice");
			}
		}
	}
	return 0;
}

/* Return: 0, or a negative errno after a reply. */
static int read_job(struct http_request *request, struct handover *job)
{
	struct json_object *site = json_object_object_get(http_json(request), "site");
	struct json_object *commission;
	const char *ecu = NULL;
	char err[200];

	if (!http_text(request, "id", JOB_ID_SIZE - 1, JOB_ID_SIZE - 1, &job->id) ||
	    !api_text(request, "ecu", 20, &ecu) ||
	    !api_member(request, "map", json_type_object, &job->map) ||
	    !api_member(request, "inverters", json_type_array, &job->inverters) ||
	    !api_member(request, "commission", json_type_boolean, &commission)) {
		return -EINVAL;
	}
	if (!job_id_valid(job->id)) {
		http_reply_error(request, 400, "invalid",
				 "id: expected a UUID with lower-case digits, found '%s'", job->id);
		return -EINVAL;
	}
	job->commission = json_object_get_boolean(commission);
	job->has_ecu = ecu != NULL;
	if (ecu && id_parse(ecu, &job->ecu) < 0) {
		return refuse(request, "ecu: expected 12 digits");
	}
	if (job->map && sites_check_map(job->map, err, sizeof(err)) < 0) {
		return refuse(request, err);
	}
	if (json_object_is_type(site, json_type_int)) {
		job->site = json_object_get_int64(site);
	} else if (!json_object_is_type(site, json_type_object)) {
		return refuse(request, "site: expected a number or an object");
	} else if (sites_parse(site, &job->new_site, err, sizeof(err)) < 0) {
		return refuse(request, err);
	}
	return read_inverters(request, job);
}

static void reply_refused(struct http_request *request, struct sql *sql, int error)
{
	if (error == -EPERM || error == -ENOENT) {
		http_reply_error(request, 404, "not_found",
				 "site: there is no such site or customer for this tenant");
	} else if (error == -EINVAL) {
		http_reply_error(request, 400, "invalid",
				 "site: expected name, and customer or customer_name");
	} else if (error == -EEXIST) {
		http_reply_error(request, 409, "exists",
				 "the job or its ECU belongs to another site");
	} else {
		api_failed(request, sql, error);
	}
}

/* Where another process may enter the job in another shard, both have to agree on its site. Return:
 * 0, or a negative errno after a reply. */
static int agree_on_site(struct http_request *request, struct handover *job)
{
	int64_t own = job->site ? job->site : job->new_site.id;
	struct sql *first = api_shard(request, 0);
	int64_t site =
		first ? store_job_site(first, job->id, api_tenant(request), own, clock_wall_ms())
		      : -ENOTCONN;

	if (site == -ENOTCONN) {
		api_unreachable(request);
	} else if (site < 0 || (job->site && site != job->site)) {
		reply_refused(request, first, site < 0 ? (int)site : -EEXIST);
		return -EEXIST;
	}
	job->new_site.id = site;
	return site < 0 ? (int)site : 0;
}

/* Shard of the job's site, which is numbered when it is new; NULL after a reply. */
static struct sql *place_job(struct http_request *request, struct handover *job)
{
	struct api *api = http_ctx(request);
	struct sql *sql;
	int64_t found;

	if ((job->site == 0 && sites_number(request, &job->new_site) < 0) ||
	    (api->store->shards > 1 && agree_on_site(request, job) < 0)) {
		return NULL;
	}
	if (job->site == 0) {
		return sites_place(request, &job->new_site);
	}
	sql = api_find_site(request, job->site, &found);
	if (sql && !found) {
		http_reply_error(request, 404, "not_found", "site: there is no such site");
		return NULL;
	}
	return sql;
}

/* All of the job, within a transaction. */
static int enter_job(struct http_request *request, struct sql *sql, const struct handover *job,
		     struct json_object **ret_enrolment)
{
	const struct auth_identity *identity = http_identity(request);
	struct json_object *arguments;
	char order[ORDERS_ID_SIZE] = "";
	int64_t site = job->site ? job->site
				 : sites_add(request, sql, &job->new_site, clock_wall_ms());
	int ret = site < 0 ? (int)site : 0;

	if (ret == 0 && job->map) {
		ret = sql_run(sql, "UPDATE sites SET map = $2 WHERE id = $1", "is", site,
			      json_object_to_json_string_ext(job->map, JSON_C_TO_STRING_PLAIN));
	}
	if (ret >= 0 && job->has_ecu) {
		*ret_enrolment = sites_enrol(request, sql, site, job->ecu, clock_wall_ms(), &ret);
	}
	if (ret >= 0 && job->commission) {
		arguments = json_object_new_object();
		json_int(arguments, "inverters",
			 job->inverters ? (int64_t)json_object_array_length(job->inverters) : 0);
		ret = orders_add(sql, site, 0, "commission", arguments, identity->name,
				 auth_role_name(identity->role), COMMISSION_TTL_S, clock_wall_ms(),
				 order);
		json_object_put(arguments);
	}
	if (ret >= 0) {
		ret = sql_run(
			sql,
			"INSERT INTO jobs (id, site, ecu, commission, commission_order, inverters, "
			"created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			"sinissi", job->id, site, job->has_ecu ? (int64_t)job->ecu : SQL_NULL,
			(int64_t)job->commission, order[0] ? order : NULL,
			job->inverters ? json_object_to_json_string(job->inverters) : "[]",
			clock_wall_ms());
	}
	return ret < 0 ? ret : 0;
}

/* Replies with the job if it is stored. Return: 1, also after a reply with an error; else 0. */
static int reply_known(struct http_request *request, const struct handover *job)
{
	int64_t known;
	struct sql *sql = find_job(request, job->id, &known);

	if (sql && known) {
		reply_job(request, sql, job->id, 200, NULL);
	}
	return !sql || known;
}

static void hand_over(struct http_request *request, struct handover *job)
{
	struct api *api = http_ctx(request);
	struct json_object *enrolment = NULL;
	struct sql *sql;
	int ret;

	if (reply_known(request, job) || !(sql = place_job(request, job))) {
		return;
	}
	ret = sql_begin(sql);
	ret = ret < 0 ? ret : enter_job(request, sql, job, &enrolment);
	ret = ret < 0 ? ret : sql_commit(sql);
	if (ret < 0) {
		sql_rollback(sql);
		json_object_put(enrolment);
		/* A key, or a row that row-level security does not show so early, may be of the
		 * same job, which another process has entered meanwhile. */
		if ((ret == -EEXIST || ret == -EPERM) && reply_known(request, job)) {
			return;
		}
		reply_refused(request, sql, ret);
		return;
	}
	api_audit(request, "job", job->id, "");
	if (api->ingest) {
		ingest_wake(api->ingest);
	}
	reply_job(request, sql, job->id, 201, enrolment);
}

void api_post_jobs(struct http_request *request)
{
	struct handover job = { 0 };

	if (read_job(request, &job) == 0 && sites_lock(request) == 0) {
		hand_over(request, &job);
		sites_unlock(request);
	}
}

/* ---- signature ---- */

/* ECU of a job that this tenant sees; false after a reply. */
static bool job_ecu(struct http_request *request, const char *id, uint64_t *ret_ecu)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	struct sql *sql = find_job(request, id, NULL);
	int ret =
		!sql ? -ENOTCONN
		     : sql_query(
			       sql, &rows,
			       "SELECT jobs.ecu FROM jobs JOIN sites ON sites.id = jobs.site WHERE "
			       "jobs.id = $2 AND " API_VISIBLE,
			       "is", api_tenant(request), id);

	if (!sql) {
		return false;
	}
	ret = ret < 0 ? ret : sql_next(rows);
	if (ret < 0) {
		api_failed(request, sql, ret);
	} else if (ret == 0) {
		http_reply_error(request, 404, "not_found", "there is no job '%.40s'", id);
	} else if (sql_is_null(rows, 0)) {
		http_reply_error(request, 409, "no_ecu", "the job has no ECU");
	} else {
		*ret_ecu = (uint64_t)sql_int(rows, 0);
		return true;
	}
	return false;
}

void api_post_jobs_job_signature(struct http_request *request)
{
	struct api *api = http_ctx(request);
	const struct auth_identity *identity = http_identity(request);
	struct job job = { .role = identity->role, .work = http_json(request) };
	uint8_t public[JOB_PUBLIC_BYTES], secret[JOB_SECRET_BYTES];
	struct json_object *json;
	char err[200];
	char *text;
	int ret;

	if (!job_ecu(request, http_param(request, "job"), &job.ecu)) {
		return;
	}
	if (job_check(job.work, err, sizeof(err)) < 0) {
		http_reply_error(request, 400, "invalid", "%s", err);
		return;
	}
	snprintf(job.id, sizeof(job.id), "%s", http_param(request, "job"));
	snprintf(job.by, sizeof(job.by), "%.63s", identity->name);
	job.issued_ms = clock_wall_ms();
	job.expires_ms = job.issued_ms + JOB_TTL_MS;
	ret = vault_job_keys(api->store->vault, public, secret);
	text = ret < 0 ? NULL : job_sign(&job, secret);
	sodium_memzero(secret, sizeof(secret));
	if (!text) {
		http_reply_errno(request, ret < 0 ? ret : -E2BIG, "the job cannot be signed");
		return;
	}
	api_audit(request, "job-sign", job.id, "");
	json = json_object_new_object();
	json_text(json, "text", text);
	json_int(json, "expires_ms", job.expires_ms);
	free(text);
	http_reply_json(request, 200, json);
}
