// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * REST interface: jobs that the monitoring service has signed. They need no login here: the
 * signature gives the right of the person who made the job. A job is carried out once.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "../lib/log.h"
#include "../service/job.h"
#include "../service/service_clock.h"
#include "../service/wipe.h"
#include "commission.h"
#include "rest.h"
#include "view.h"

#define DONE "jobs_done"
/* While the queue of orders is full: time between two attempts, and attempts. */
#define SUBMIT_MS 10
#define SUBMIT_TRIES 500

/* Columns: error of job_open(), HTTP status, code. */
static const struct {
	int error;
	unsigned int status;
	const char *code;
} refusals[] = {
	{ -EBADMSG, 403, "wrong_signature" },
	{ -EXDEV, 409, "foreign" },
	{ -ETIME, 410, "expired" },
	{ -ENOKEY, 409, "no_service" },
};

/* Of two requests with the same job, only one carries it out. */
static pthread_mutex_t done_lock = PTHREAD_MUTEX_INITIALIZER;

static void load_done(struct ecu *ecu, struct jobs_done *done)
{
	char text[JOBS_DONE_SIZE] = "";

	store_get(ecu->store, DONE, text, sizeof(text));
	jobs_done_parse(text, done);
}

/* Opens the job of the body; false after a reply. */
static bool open_job(struct http_request *request, struct job *job)
{
	struct ecu *ecu = rest_of(request)->ecu;
	char hex[2 * JOB_PUBLIC_BYTES + 1] = "";
	uint8_t public[JOB_PUBLIC_BYTES];
	char err[200] = "the gateway is not enrolled at a monitoring service that signs jobs";
	const char *text;
	int ret = -ENOKEY;

	if (!http_text(request, "job", 1, JOB_TEXT_MAX, &text)) {
		return false;
	}
	store_get(ecu->store, STORE_JOB_KEY, hex, sizeof(hex));
	if (sodium_hex2bin(public, sizeof(public), hex, strlen(hex), NULL, NULL, NULL) == 0 &&
	    strlen(hex) == sizeof(hex) - 1) {
		ret = job_open(text, public, strtoull(ecu->model->ecu_id, NULL, 10),
			       clock_wall_ms(), job, err, sizeof(err));
	}
	for (size_t i = 0; ret < 0 && i < ARRAY_SIZE(refusals); i++) {
		if (refusals[i].error == ret) {
			rest_audit(request, "job", "", refusals[i].code);
			http_reply_error(request, refusals[i].status, refusals[i].code, "%s", err);
			return false;
		}
	}
	if (ret < 0) {
		http_reply_errno(request, ret, "%s", err);
	}
	return ret == 0;
}

/* ---- what a job will do, and has done ---- */

static struct json_object *view_labels(struct model *model, struct json_object *labels)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(labels); i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(labels, i));
		struct json_object *object = json_object_new_object();
		uint8_t code[INSTALL_CODE_BYTES];
		char serial_text[SERIAL_TEXT_SIZE] = "";
		struct model_unit unit;
		struct serial serial;
		bool sound = label_parse(text, &serial, code) == 0 ||
			     serial_parse(text, &serial) == 0;

		explicit_bzero(code, sizeof(code));
		json_object_object_add(
			object, "serial",
			sound ? json_object_new_string(serial_format(serial_text, &serial)) : NULL);
		json_object_object_add(
			object, "known",
			json_object_new_boolean(sound && model_copy(model, &serial, &unit) == 0));
		json_object_array_add(array, object);
	}
	return array;
}

/* Orders of the job that the model still has, oldest first. */
static struct json_object *view_orders(struct model *model, const char *id)
{
	struct json_object *array = json_object_new_array();

	model_lock(model);
	for (uint64_t n = ORDERS_KEPT; n > 0; n--) {
		uint64_t number = model->order_last - n + 1;
		const struct order *order = &model->order[number % ORDERS_KEPT];

		if (number <= model->order_last && order->number == number &&
		    order->interface == INTERFACE_JOB &&
		    !strncmp(order->key, id, JOB_ID_SIZE - 1)) {
			json_object_array_add(array, view_order(order));
		}
	}
	model_unlock(model);
	return array;
}

static struct json_object *view_job(struct ecu *ecu, const struct job *job)
{
	struct json_object *object = json_object_new_object();
	struct json_object *places = json_object_object_get(job->work, "places");
	struct jobs_done done;

	load_done(ecu, &done);
	json_object_object_add(object, "id", json_object_new_string(job->id));
	json_object_object_add(object, "by", json_object_new_string(job->by));
	json_object_object_add(object, "role", json_object_new_string(auth_role_name(job->role)));
	json_object_object_add(object, "issued_ms", json_object_new_int64(job->issued_ms));
	json_object_object_add(object, "expires_ms", json_object_new_int64(job->expires_ms));
	json_object_object_add(object, "done",
			       json_object_new_boolean(jobs_done_has(&done, job->id)));
	json_object_object_add(
		object, "labels",
		view_labels(ecu->model, json_object_object_get(job->work, "labels")));
	json_object_object_add(object, "places",
			       json_object_new_int64((int64_t)json_object_array_length(places)));
	json_object_object_add(object, "commission",
			       json_object_get(json_object_object_get(job->work, "commission")));
	json_object_object_add(object, "orders", view_orders(ecu->model, job->id));
	return object;
}

void rest_post_jobs_check(struct http_request *request)
{
	struct job job;

	if (open_job(request, &job)) {
		http_reply_json(request, 200, view_job(rest_of(request)->ecu, &job));
		job_clear(&job);
	}
}

/* ---- doing it ---- */

/**
 * struct making - orders of a job, in the order in which they run
 */
struct making {
	const struct job *job;
	struct order *order;
	int count;
};

static struct order *next_order(struct making *making, enum order_command command)
{
	struct order *order = &making->order[making->count];

	order_init(order, command, clock_wall_ms());
	order->role = 1u << making->job->role;
	order->interface = INTERFACE_JOB;
	snprintf(order->owner, sizeof(order->owner), "%s", auth_role_name(making->job->role));
	snprintf(order->by, sizeof(order->by), "%s", making->job->by);
	snprintf(order->key, sizeof(order->key), "%s/%d", making->job->id, making->count++);
	return order;
}

/* Inverters that are known already are not paired again. */
static void make_pairs(struct making *making, struct model *model)
{
	struct json_object *labels = json_object_object_get(making->job->work, "labels");

	for (size_t i = 0; i < json_object_array_length(labels); i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(labels, i));
		uint8_t code[INSTALL_CODE_BYTES];
		struct model_unit unit;
		struct serial serial;
		bool sound = label_parse(text, &serial, code) == 0 ||
			     serial_parse(text, &serial) == 0;
		struct order *order;

		explicit_bzero(code, sizeof(code));
		if (sound && model_copy(model, &serial, &unit) == 0 && unit.paired) {
			continue;
		}
		order = next_order(making, COMMAND_PAIR);
		snprintf(order->text, sizeof(order->text), "%s", text);
		if (sound) {
			order->serial = serial;
		}
	}
}

/* One order for the places of each inverter. */
static void make_places(struct making *making)
{
	struct json_object *places = json_object_object_get(making->job->work, "places");
	int first = making->count;

	for (size_t i = 0; i < json_object_array_length(places); i++) {
		struct json_object *place = json_object_array_get_idx(places, i);
		int channel = json_object_get_int(json_object_object_get(place, "channel"));
		static const char *const names[] = { "x", "y", "turn" };
		struct serial serial;
		int at = first;

		serial_parse(json_object_get_string(json_object_object_get(place, "serial")),
			     &serial);
		while (at < making->count && !serial_equal(&making->order[at].serial, &serial)) {
			at++;
		}
		if (at == making->count) {
			next_order(making, COMMAND_EDIT)->serial = serial;
			making->order[at].edit = ORDER_EDIT_PLACE;
		}
		for (size_t j = 0; j < ARRAY_SIZE(names); j++) {
			making->order[at].place[channel - 1][j] = (float)json_object_get_double(
				json_object_object_get(place, names[j]));
		}
	}
}

static void make_commission(struct making *making)
{
	struct json_object *labels = json_object_object_get(making->job->work, "labels");
	struct order *order;

	if (!json_object_get_boolean(json_object_object_get(making->job->work, "commission"))) {
		return;
	}
	order = next_order(making, COMMAND_COMMISSION);
	order->site = true;
	order->ttl_s = COMMISSION_TTL_S;
	order->w = (double)json_object_array_length(labels);
}

/* A job that commissions nothing may be brought again when the site has inverters. */
static bool commissions_nothing(struct ecu *ecu, const struct job *job)
{
	bool empty;

	model_lock(ecu->model);
	empty = ecu->model->units == 0;
	model_unlock(ecu->model);
	return empty && json_object_get_boolean(json_object_object_get(job->work, "commission")) &&
	       json_object_array_length(json_object_object_get(job->work, "labels")) == 0;
}

/* The user is the one that the signed job names. */
static void audit_job(struct http_request *request, const struct job *job, const char *result)
{
	struct audit_entry entry = {
		.who = job->by,
		.role = auth_role_name(job->role),
		.interface = order_interface_name(INTERFACE_JOB),
		.from = http_from(request),
		.action = "job",
		.target = job->id,
		.result = result,
	};

	store_put_audit(rest_of(request)->ecu->store, &entry);
}

/* Remember the job, on stable storage, before anything is done. */
static int remember(struct ecu *ecu, const struct job *job)
{
	char text[JOBS_DONE_SIZE];
	struct jobs_done done;
	int ret;

	pthread_mutex_lock(&done_lock);
	load_done(ecu, &done);
	ret = jobs_done_add(&done, job, clock_wall_ms());
	if (ret == 0) {
		jobs_done_format(&done, text);
		store_set(ecu->store, DONE, text);
		ret = store_flush(ecu->store);
	}
	pthread_mutex_unlock(&done_lock);
	return ret;
}

/* A job may have more orders than the queue takes at once. */
static int64_t submit(struct orders *orders, const struct order *order)
{
	const struct timespec pause = { .tv_nsec = SUBMIT_MS * 1000000 };
	int64_t ret = order_submit(orders, order);

	for (int i = 0; i < SUBMIT_TRIES && ret == -EAGAIN; i++) {
		nanosleep(&pause, NULL);
		ret = order_submit(orders, order);
	}
	return ret;
}

static void do_job(struct http_request *request, const struct job *job)
{
	struct ecu *ecu = rest_of(request)->ecu;
	const size_t orders = JOB_LABELS_MAX + JOB_PLACES_MAX + 1;
	struct making making = { .job = job };
	int ret;

	if (commissions_nothing(ecu, job)) {
		audit_job(request, job, "nothing");
		http_reply_error(request, 409, "nothing", "job: %s", COMMISSION_NOTHING);
		return;
	}
	making.order = calloc(orders, sizeof(*making.order));
	ret = making.order ? remember(ecu, job) : -ENOMEM;
	if (ret < 0) {
		free(making.order); /* no label is in it so far */
		audit_job(request, job, ret == -EALREADY ? "done" : strerror(-ret));
		if (ret == -EALREADY) {
			http_reply_error(request, 409, "done",
					 "job: it was carried out already; each is carried out "
					 "once");
		} else {
			http_reply_errno(request, ret, "job: cannot store its id: %s",
					 strerror(-ret));
		}
		return;
	}
	make_pairs(&making, ecu->model);
	make_places(&making);
	make_commission(&making);
	for (int i = 0; i < making.count; i++) {
		/* The main loop checks each, and the model shows what became of it. */
		if (submit(ecu->orders, &making.order[i]) < 0) {
			log_err("job %s: order %d of %d is lost", job->id, i + 1, making.count);
		}
	}
	wipe_free(making.order, orders * sizeof(*making.order));
	audit_job(request, job, "ok");
	http_reply_json(request, 202, view_job(ecu, job));
}

void rest_post_jobs(struct http_request *request)
{
	struct job job;

	if (open_job(request, &job)) {
		do_job(request, &job);
		job_clear(&job);
	}
}
