/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signed jobs: work for one gateway that its monitoring service has signed, so that an installer's
 * phone can bring it to the gateway without internet, in the address of the gateway's page.
 *
 * A job is the text "PAYLOAD.SIGNATURE", both in the URL's base64 without padding (RFC 4648, 5).
 * The payload is a JSON object; the signature is Ed25519 (RFC 8032) over "qs1 job 1", a zero
 * byte and the payload's bytes. Members: id, ecu, by, role, issued_ms, expires_ms; labels, texts of
 * inverters' labels to pair; places, objects of serial, channel, x, y, turn; commission.
 *
 * A job does its work once, until it expires, at the gateway that it names. The gateway remembers
 * which jobs it has done, see struct jobs_done.
 */
#ifndef QS1_JOB_H
#define QS1_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "auth.h"

/* Longest text of a job, bytes. */
#define JOB_TEXT_MAX 65536
#define JOB_ID_SIZE 37
#define JOB_PUBLIC_BYTES 32
#define JOB_SECRET_BYTES 64
#define JOB_LABELS_MAX 100
#define JOB_LABEL_MAX 159
#define JOB_PLACES_MAX 400
/* Validity of a job, ms. */
#define JOB_TTL_MS (INT64_C(7) * 86400 * 1000)
/* A clock of the gateway may be behind by this much, ms. */
#define JOB_CLOCK_MS 120000

/**
 * struct job - an opened job
 * @id: UUID, of the installer's app
 * @ecu: gateway that it is for
 * @by, @role: of the person who has made it, at the service
 * @work: the payload; labels and places are arrays that were checked
 */
struct job {
	char id[JOB_ID_SIZE];
	uint64_t ecu;
	char by[AUTH_NAME_SIZE];
	enum auth_role role;
	int64_t issued_ms;
	int64_t expires_ms;
	struct json_object *work;
};

void job_clear(struct job *job);

/* Is a text an identity of a job: a UUID (RFC 9562) with lower-case digits? */
bool job_id_valid(const char *id);

/* Make a pair of keys. */
void job_keys(uint8_t ret_public[JOB_PUBLIC_BYTES], uint8_t ret_secret[JOB_SECRET_BYTES]);

/**
 * job_check() - are the members labels, places and commission of an object valid?
 *
 * Return: 0, or -EINVAL with what was expected.
 */
int job_check(struct json_object *work, char *err, size_t size);

/**
 * job_sign() - the text of a job
 * @job: @work has labels, places and commission; its other members are set here
 * @secret: of the service
 *
 * Return: the text, to be freed; NULL without memory or when it is longer than JOB_TEXT_MAX.
 */
char *job_sign(const struct job *job, const uint8_t secret[JOB_SECRET_BYTES]);

/**
 * job_open() - check signature, gateway, time and work of a job; pure
 * @public: key of the service
 * @ecu: this gateway
 * @now_ms: its time
 * @ret: cleared by job_clear(); untouched on failure
 *
 * Return: 0; -EBADMSG for a text that is not a job, was altered, or has another signer;
 * -EXDEV for a job of another gateway; -ETIME for one that has expired or is from the future. @err
 * has the reason.
 */
int job_open(const char *text, const uint8_t public[JOB_PUBLIC_BYTES], uint64_t ecu, int64_t now_ms,
	     struct job *ret, char *err, size_t size);

#define JOBS_DONE_MAX 16
/* Text of a struct jobs_done, with the NUL. */
#define JOBS_DONE_SIZE (JOBS_DONE_MAX * (JOB_ID_SIZE + 20) + 1)

/**
 * struct jobs_done - jobs that were done and have not expired
 */
struct jobs_done {
	struct {
		char id[JOB_ID_SIZE];
		int64_t expires_ms;
	} job[JOBS_DONE_MAX];
	int count;
};

/* From and to the text that the gateway stores: "ID EXPIRES_MS" and a blank for each. */
void jobs_done_parse(const char *text, struct jobs_done *ret);
void jobs_done_format(const struct jobs_done *done, char ret_text[JOBS_DONE_SIZE]);

bool jobs_done_has(const struct jobs_done *done, const char *id);

/**
 * jobs_done_add() - remember a job, and forget those that have expired
 *
 * Return: 0; -EALREADY for one that was done; -ENOSPC.
 */
int jobs_done_add(struct jobs_done *done, const struct job *job, int64_t now_ms);

#endif /* QS1_JOB_H */
