// SPDX-License-Identifier: GPL-2.0-or-later
#include "job.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "../lib/util.h"
#include "report.h"
#include "wipe.h"

#define DOMAIN "qs1 job 1"
/* What ends an id in the text of struct jobs_done. */
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define SIGNATURE_BYTES crypto_sign_BYTES

_Static_assert(JOB_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES &&
		       JOB_SECRET_BYTES == crypto_sign_SECRETKEYBYTES,
	       "sizes of Ed25519 keys");

void job_clear(struct job *job)
{
	/* labels have install codes */
	wipe_json(job->work);
	job->work = NULL;
}

void job_keys(uint8_t ret_public[JOB_PUBLIC_BYTES], uint8_t ret_secret[JOB_SECRET_BYTES])
{
	crypto_sign_keypair(ret_public, ret_secret);
}

/* ---- work ---- */

static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *member = json_object_object_get(object, name);

	return json_object_is_type(member, json_type_string) ? json_object_get_string(member) : "";
}

static bool number_within(struct json_object *object, const char *name, double max)
{
	struct json_object *member = json_object_object_get(object, name);

	return (json_object_is_type(member, json_type_int) ||
		json_object_is_type(member, json_type_double)) &&
	       fabs(json_object_get_double(member)) <= max;
}

static bool label_is_sound(struct json_object *label)
{
	size_t n = (size_t)json_object_get_string_len(label);

	return json_object_is_type(label, json_type_string) && n >= ID_TEXT_SIZE - 1 &&
	       n <= JOB_LABEL_MAX && strlen(json_object_get_string(label)) == n;
}

static bool place_is_sound(struct json_object *place)
{
	struct json_object *channel = json_object_object_get(place, "channel");
	uint64_t serial;

	return json_object_is_type(place, json_type_object) &&
	       id_parse(text_of(place, "serial"), &serial) == 0 &&
	       json_object_is_type(channel, json_type_int) && json_object_get_int(channel) >= 1 &&
	       json_object_get_int(channel) <= REPORT_INPUTS && number_within(place, "x", 1000) &&
	       number_within(place, "y", 1000) && number_within(place, "turn", 360);
}

/* Columns: member, most elements, check of one, what one is. */
static const struct {
	const char *name;
	size_t max;
	bool (*is_sound)(struct json_object *element);
	const char *expected;
} lists[] = {
	{ "labels", JOB_LABELS_MAX, label_is_sound, "texts of 12 to 159 bytes" },
	{ "places", JOB_PLACES_MAX, place_is_sound,
	  "objects with serial, channel from 1 to 4, x and y within 1000, turn within 360" },
};

int job_check(struct json_object *work, char *err, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct json_object *list = json_object_object_get(work, lists[i].name);
		bool sound = json_object_is_type(list, json_type_array) &&
			     json_object_array_length(list) <= lists[i].max;

		for (size_t j = 0; sound && j < json_object_array_length(list); j++) {
			sound = lists[i].is_sound(json_object_array_get_idx(list, j));
		}
		if (!sound) {
			snprintf(err, size, "%s: expected an array of at most %zu %s",
				 lists[i].name, lists[i].max, lists[i].expected);
			return -EINVAL;
		}
	}
	if (!json_object_is_type(json_object_object_get(work, "commission"), json_type_boolean)) {
		snprintf(err, size, "commission: expected true or false");
		return -EINVAL;
	}
	return 0;
}

/* ---- signature ---- */

/* Prefix of the signed bytes: a signature for another purpose is not valid for a job. */
static uint8_t *signed_bytes(const char *payload, size_t n)
{
	uint8_t *bytes = malloc(sizeof(DOMAIN) + n);

	if (bytes) {
		memcpy(bytes, DOMAIN, sizeof(DOMAIN));
		memcpy(bytes + sizeof(DOMAIN), payload, n);
	}
	return bytes;
}

char *job_sign(const struct job *job, const uint8_t secret[JOB_SECRET_BYTES])
{
	static const char *const members[] = { "labels", "places", "commission" };
	struct json_object *payload = json_object_new_object();
	uint8_t *bytes;
	uint8_t signature[SIGNATURE_BYTES];
	char ecu[ID_TEXT_SIZE];
	const char *json;
	char *text = NULL;
	size_t n, first;

	json_object_object_add(payload, "id", json_object_new_string(job->id));
	json_object_object_add(payload, "ecu", json_object_new_string(id_format(ecu, job->ecu)));
	json_object_object_add(payload, "by", json_object_new_string(job->by));
	json_object_object_add(payload, "role", json_object_new_string(auth_role_name(job->role)));
	json_object_object_add(payload, "issued_ms", json_object_new_int64(job->issued_ms));
	json_object_object_add(payload, "expires_ms", json_object_new_int64(job->expires_ms));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_object_object_add(
			payload, members[i],
			json_object_get(json_object_object_get(job->work, members[i])));
	}
	json = json_object_to_json_string_ext(payload, JSON_C_TO_STRING_PLAIN);
	n = strlen(json);
	first = sodium_base64_ENCODED_LEN(n, BASE64);
	bytes = signed_bytes(json, n);
	if (bytes && first + sodium_base64_ENCODED_LEN(SIGNATURE_BYTES, BASE64) <= JOB_TEXT_MAX) {
		text = malloc(first + sodium_base64_ENCODED_LEN(SIGNATURE_BYTES, BASE64));
	}
	if (text) {
		crypto_sign_detached(signature, NULL, bytes, sizeof(DOMAIN) + n, secret);
		sodium_bin2base64(text, first, (const uint8_t *)json, n, BASE64);
		text[first - 1] = '.';
		sodium_bin2base64(text + first, sodium_base64_ENCODED_LEN(SIGNATURE_BYTES, BASE64),
				  signature, sizeof(signature), BASE64);
	}
	wipe_free(bytes, sizeof(DOMAIN) + n);
	explicit_bzero((char *)json, n);
	json_object_put(payload);
	return text;
}

static int bad(char *err, size_t size, const char *why)
{
	snprintf(err, size, "job: %s", why);
	return -EBADMSG;
}

/* The payload, to be freed, if its signature is right. */
static int open_payload(const char *text, const uint8_t *public, char **ret_payload, char *err,
			size_t size)
{
	size_t length = strlen(text);
	const char *dot = strchr(text, '.');
	uint8_t signature[SIGNATURE_BYTES];
	uint8_t *bytes;
	char *payload;
	bool right;
	size_t n, signature_n;

	if (length > JOB_TEXT_MAX || !dot) {
		return bad(err, size, "expected a text of two parts with a dot between");
	}
	payload = malloc((size_t)(dot - text) + 1);
	if (!payload) {
		return -ENOMEM;
	}
	if (sodium_base642bin((uint8_t *)payload, (size_t)(dot - text), text, (size_t)(dot - text),
			      NULL, &n, NULL, BASE64) != 0 ||
	    sodium_base642bin(signature, sizeof(signature), dot + 1, strlen(dot + 1), NULL,
			      &signature_n, NULL, BASE64) != 0 ||
	    signature_n != sizeof(signature)) {
		wipe_free(payload, (size_t)(dot - text));
		return bad(err, size, "expected base64 and a signature of 64 bytes");
	}
	payload[n] = '\0';
	bytes = signed_bytes(payload, n);
	right = bytes && !crypto_sign_verify_detached(signature, bytes, sizeof(DOMAIN) + n, public);
	wipe_free(bytes, sizeof(DOMAIN) + n);
	if (!right) {
		wipe_free(payload, n);
		return bad(err, size,
			   "it was altered, or the monitoring service of this gateway has not "
			   "signed it");
	}
	*ret_payload = payload;
	return 0;
}

bool job_id_valid(const char *id)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		bool digit = (id[i] >= '0' && id[i] <= '9') || (id[i] >= 'a' && id[i] <= 'f');

		/* also at the end of a text that is too short */
		if (form[i] == 'x' ? !digit : id[i] != form[i]) {
			return false;
		}
	}
	return !id[sizeof(form) - 1];
}

/* The head of a job, from its payload. */
static int read_head(struct json_object *work, struct job *job, char *err, size_t size)
{
	int role = auth_role_find(text_of(work, "role"));

	if (!job_id_valid(text_of(work, "id")) || !*text_of(work, "by") ||
	    strlen(text_of(work, "by")) >= sizeof(job->by) || role < 0 ||
	    id_parse(text_of(work, "ecu"), &job->ecu) < 0) {
		return bad(err, size, "expected id, ecu, by and role");
	}
	strcpy(job->id, text_of(work, "id"));
	strcpy(job->by, text_of(work, "by"));
	job->role = (enum auth_role)role;
	job->issued_ms = json_object_get_int64(json_object_object_get(work, "issued_ms"));
	job->expires_ms = json_object_get_int64(json_object_object_get(work, "expires_ms"));
	return job_check(work, err, size) < 0 ? -EBADMSG : 0;
}

int job_open(const char *text, const uint8_t public[JOB_PUBLIC_BYTES], uint64_t ecu, int64_t now_ms,
	     struct job *ret, char *err, size_t size)
{
	char *payload __cleanup(wipe_text) = NULL;
	struct job job = { 0 };
	int error = open_payload(text, public, &payload, err, size);

	if (error < 0) {
		return error;
	}
	job.work = json_tokener_parse(payload);
	error = json_object_is_type(job.work, json_type_object)
			? read_head(job.work, &job, err, size)
			: bad(err, size, "expected an object");
	if (error == 0 && job.ecu != ecu) {
		snprintf(err, size, "job: it is for the gateway %012" PRIu64, job.ecu);
		error = -EXDEV;
	} else if (error == 0 && now_ms >= job.expires_ms) {
		snprintf(err, size, "job: it has expired %" PRId64 " minutes ago",
			 (now_ms - job.expires_ms) / 60000);
		error = -ETIME;
	} else if (error == 0 && job.issued_ms > now_ms + JOB_CLOCK_MS) {
		snprintf(err, size,
			 "job: it was made in the future of this gateway, by %" PRId64
			 " minutes: set its clock",
			 (job.issued_ms - now_ms) / 60000);
		error = -ETIME;
	}
	if (error < 0) {
		job_clear(&job);
		return error;
	}
	*ret = job;
	return 0;
}

/* ---- jobs that were done ---- */

void jobs_done_parse(const char *text, struct jobs_done *ret)
{
	int used;

	ret->count = 0;
	while (ret->count < JOBS_DONE_MAX &&
	       sscanf(text, "%36s %" SCNd64 " %n", ret->job[ret->count].id,
		      &ret->job[ret->count].expires_ms, &used) == 2) {
		ret->count++;
		text += used;
	}
}

void jobs_done_format(const struct jobs_done *done, char ret_text[JOBS_DONE_SIZE])
{
	size_t used = 0;

	ret_text[0] = '\0';
	for (int i = 0; i < done->count; i++) {
		used += (size_t)snprintf(ret_text + used, JOBS_DONE_SIZE - used, "%s %" PRId64 " ",
					 done->job[i].id, done->job[i].expires_ms);
	}
}

bool jobs_done_has(const struct jobs_done *done, const char *id)
{
	for (int i = 0; i < done->count; i++) {
		if (!strcmp(done->job[i].id, id)) {
			return true;
		}
	}
	return false;
}

int jobs_done_add(struct jobs_done *done, const struct job *job, int64_t now_ms)
{
	int kept = 0;

	for (int i = 0; i < done->count; i++) {
		if (done->job[i].expires_ms > now_ms) {
			done->job[kept++] = done->job[i];
		}
	}
	done->count = kept;
	if (jobs_done_has(done, job->id)) {
		return -EALREADY;
	}
	if (kept == JOBS_DONE_MAX) {
		return -ENOSPC;
	}
	strcpy(done->job[kept].id, job->id);
	done->job[kept].expires_ms = job->expires_ms;
	done->count++;
	return 0;
}
