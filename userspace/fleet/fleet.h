/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of qs1-fleet, the generator of ECUs. */
#ifndef QS1_FLEET_FLEET_H
#define QS1_FLEET_FLEET_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>
#include <json-c/json.h>

#include "batch.h"
#include "roof.h"

#define UNITS_MAX 100
#define RESULTS_MAX 32

struct options {
	const char *api;
	const char *uplink;
	const char *ca;
	const char *token_file;
	const char *folder;
	const char *sky;
	const char *log;
	int ecus;
	uint64_t first;
	int units;
	int period_s;
	int batches;
	int history_days;
	int outage_h;
	int threads;
	double for_s;
	bool orders;
	bool pages;
};

extern struct options options;
extern volatile sig_atomic_t stopped;

/**
 * struct ecu - one generated ECU
 * @site: its site in the service, 0 for none
 * @due_us: of its next batch
 * @steady_us: of its second batch; the others follow after a period each
 * @cert, @key: files of its client certificate
 * @lock: of @result, @results and @urgent
 * @result: for orders, to go with the next batch
 * @urgent: results do not wait for the next report
 */
struct ecu {
	uint64_t id;
	int64_t site;
	uint64_t epoch;
	uint64_t sequence;
	uint32_t boot;
	uint64_t due_us;
	uint64_t steady_us;
	int sent;
	char cert[512];
	char key[512];
	struct roof_unit unit[UNITS_MAX];
	pthread_mutex_t lock;
	struct batch_result result[RESULTS_MAX];
	size_t results;
	bool urgent;
};

uint64_t now_us(void);
void sleep_ms(int ms);

/* ---- request.c ---- */

struct answer {
	char *text;
	size_t n;
	long status;
	char error[80]; /* of libcurl, when there is no answer */
};

/**
 * struct call - a request: a POST, or a GET without a body
 * @ecu: whose client certificate is shown, NULL for none
 * @header: list, NULL for none
 */
struct call {
	const char *url;
	const struct ecu *ecu;
	struct curl_slist *header;
	const void *body;
	size_t n;
};

/* Set a handle for a request. @answer receives the body, its text is to be freed. */
void request_set(CURL *curl, const struct call *call, struct answer *answer);

/* Return: 0 with an answer of any status, -EIO without one. @ret_answer->text is to be freed. */
int request_run(CURL *curl, const struct call *call, struct answer *ret_answer);

/**
 * request_json() - ask with the token, or with a client certificate
 * @token: NULL with @ecu
 * @body: taken over; NULL for a GET
 *
 * Return: the answer; NULL when it is an error, which is printed.
 */
struct json_object *request_json(CURL *curl, const char *url, const char *token,
				 const struct ecu *ecu, struct json_object *body);

/* ---- wait.c ---- */

/**
 * wait_for_orders() - each ECU asks for orders, with a long-polling request
 * @ecu: @n of them
 * @take: gets the orders of an answer
 *
 * Runs until the program stops.
 */
void wait_for_orders(struct ecu *ecu, int n,
		     void (*take)(struct ecu *ecu, struct json_object *answer));

#endif /* QS1_FLEET_FLEET_H */
