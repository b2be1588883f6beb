// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1-fleet: generated ECUs, each with a key, that deliver batches to a monitoring service as an
 * ECU does. For load tests, and for tests that compare what was sent with what is stored.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>
#include <json-c/json.h>
#include <sodium.h>

#include "batch.h"
#include "fleet.h"
#include "roof.h"
#include "service_clock.h"
#include "tls.h"
#include "util.h"

#define THREADS_MAX 1024
#define ECUS_MAX 100000
#define LATENCIES_MAX 2000000
#define PAGES_MAX 100000
#define ZONE_MIN (-420)
#define RETRY_MS 500
/* Batches of a history hold this many reports of each inverter. */
#define HISTORY_REPORTS 24
#define HISTORY_STEP_S 300
/* After an outage: batches of one request, and time between two requests, as ecud has them. */
#define OUTAGE_BATCHES 20
#define OUTAGE_PAUSE_MS 2000
/* After an outage, ECUs come back at this rate, 1/s. ecud tries again every 300 s by then, so that
 * a thousand of them would take six times as long. */
#define OUTAGE_RATE 20
#define SKY_BEGIN_S (5 * 3600)
/* All ECUs deliver once within this time, s, or at this rate, 1/s; later batches are spread over
 * the period. */
#define FIRST_S 10
#define FIRST_RATE 40
/* ECUs whose requests for orders are in one thread. */
#define WAIT_ECUS 500
#define HELPERS_MAX (ECUS_MAX / WAIT_ECUS + 1)
/* Requests to the web interface at once; it refuses more than 64. */
#define ENROL_MAX 32
/* Of @stopped: 1 for a signal or an error, this after the end. */
#define DONE 2
/* How often the page of a site is read until it shows a batch, ms. */
#define PAGE_MS 50

struct options options = {
	.folder = "build/fleet",
	.sky = "tests/data/day-clouds.csv",
	.ecus = 10,
	.first = 216000100000,
	.units = 12,
	.period_s = 300,
	.threads = 16,
};

volatile sig_atomic_t stopped;

/* Times of one kind, ms. */
struct times {
	double *ms;
	size_t n;
	size_t max;
};

/**
 * struct page - a delivered batch that a page has to show
 * @begin_us: when the request with it began; 0: none is waiting
 */
struct page {
	int64_t site;
	int64_t time_s;
	uint64_t begin_us;
};

/**
 * @first: answers to the first batch of each ECU, when all connect at once
 * @live: answers to the others, from the begin of the first try
 * @page: from the begin of the first try to the page of the site
 */
static struct {
	struct sky sky;
	struct ecu *ecu;
	char *token;
	FILE *log;
	sem_t enrolling;
	pthread_barrier_t enrolled;
	pthread_mutex_t lock;
	struct times first;
	struct times live;
	struct times page;
	struct page wanted;
	double outage_s;
	uint64_t bytes;
	uint64_t reports;
	uint64_t failures;
	uint64_t orders;
} fleet = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void on_stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* ---- enrolment ---- */

static struct json_object *object(const char *name, const char *value, const char *name2,
				  const char *value2)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, name, json_object_new_string(value));
	if (name2) {
		json_object_object_add(json, name2, json_object_new_string(value2));
	}
	return json;
}

/* A site of its own for each ECU, and its one-time code. */
static int enrol(CURL *curl, struct ecu *ecu)
{
	struct json_object *site, *code, *done;
	char text[ID_TEXT_SIZE];
	char name[40];
	char url[300];
	int ret = -EIO;

	snprintf(name, sizeof(name), "Site %s", id_format(text, ecu->id));
	snprintf(url, sizeof(url), "%s/api/v1/sites", options.api);
	site = request_json(curl, url, fleet.token, NULL, object("name", name, NULL, NULL));
	if (!site) {
		return -EIO;
	}
	ecu->site = json_object_get_int64(json_object_object_get(site, "id"));
	snprintf(url, sizeof(url), "%s/api/v1/sites/%" PRId64 "/ecus", options.api, ecu->site);
	code = request_json(curl, url, fleet.token, NULL, object("ecu", text, NULL, NULL));
	if (code) {
		snprintf(url, sizeof(url), "%s/uplink/v1/enrol", options.uplink);
		done = request_json(
			curl, url, NULL, ecu,
			object("ecu", text, "code",
			       json_object_get_string(json_object_object_get(code, "code"))));
		ret = done ? 0 : -EIO;
		json_object_put(done);
	}
	json_object_put(code);
	json_object_put(site);
	return ret;
}

/* ---- batches ---- */

static void add_time(struct times *times, double ms)
{
	if (times->n < times->max) {
		times->ms[times->n++] = ms;
	}
}

static void add_answer(const struct ecu *ecu, int64_t time_s, uint64_t begin_us)
{
	double ms = (double)(now_us() - begin_us) / 1000;

	pthread_mutex_lock(&fleet.lock);
	add_time(ecu->sent ? &fleet.live : &fleet.first, ms);
	if (options.pages && ecu->sent && !fleet.wanted.begin_us) {
		fleet.wanted = (struct page){ ecu->site, time_s, begin_us };
	}
	pthread_mutex_unlock(&fleet.lock);
}

/* Every order is confirmed at once. */
static void take_orders(struct ecu *ecu, struct json_object *answer)
{
	struct json_object *orders = json_object_object_get(answer, "orders");
	size_t n = orders ? json_object_array_length(orders) : 0;

	pthread_mutex_lock(&ecu->lock);
	for (size_t i = 0; i < n && ecu->results < RESULTS_MAX; i++) {
		struct json_object *order = json_object_array_get_idx(orders, i);
		struct batch_result *result = &ecu->result[ecu->results++];
		const char *serial =
			json_object_get_string(json_object_object_get(order, "serial"));

		*result = (struct batch_result){ .time_ms = clock_wall_ms(), .state = "confirmed" };
		snprintf(result->order, sizeof(result->order), "%s",
			 json_object_get_string(json_object_object_get(order, "id")));
		snprintf(result->text, sizeof(result->text), "read back");
		if (serial) {
			id_parse(serial, &result->serial);
		}
		ecu->urgent = true;
	}
	pthread_mutex_unlock(&ecu->lock);
	pthread_mutex_lock(&fleet.lock);
	fleet.orders += n;
	pthread_mutex_unlock(&fleet.lock);
}

static struct curl_slist *clock_headers(const struct ecu *ecu)
{
	struct curl_slist *header =
		curl_slist_append(NULL, "Content-Type: application/octet-stream");
	char text[80];

	snprintf(text, sizeof(text), "QS1-Wall-Ms: %" PRId64, clock_wall_ms());
	header = curl_slist_append(header, text);
	snprintf(text, sizeof(text), "QS1-Monotonic-Ms: %" PRIu64, clock_monotonic_us() / 1000);
	header = curl_slist_append(header, text);
	snprintf(text, sizeof(text), "QS1-Boot: %" PRIu32, ecu->boot);
	return curl_slist_append(header, text);
}

void sleep_ms(int ms)
{
	const struct timespec wait = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&wait, NULL);
}

uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void add_failure(void)
{
	pthread_mutex_lock(&fleet.lock);
	fleet.failures++;
	pthread_mutex_unlock(&fleet.lock);
}

/**
 * struct parcel - sealed batches for one request
 */
struct parcel {
	struct packer body;
	struct batch_head head[OUTAGE_BATCHES];
	size_t n;
	size_t reports;
};

/* Batches that the service has confirmed. */
static void log_parcel(const struct ecu *ecu, const struct parcel *parcel)
{
	char hash[2 * BATCH_HASH_BYTES + 1];

	pthread_mutex_lock(&fleet.lock);
	fleet.bytes += parcel->body.n;
	fleet.reports += parcel->reports;
	for (size_t i = 0; i < parcel->n && fleet.log; i++) {
		sodium_bin2hex(hash, sizeof(hash), parcel->head[i].hash, BATCH_HASH_BYTES);
		fprintf(fleet.log, "%012" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n", ecu->id,
			ecu->epoch, parcel->head[i].sequence, hash);
	}
	if (fleet.log) {
		fflush(fleet.log);
	}
	pthread_mutex_unlock(&fleet.lock);
}

/* Sends the same bytes until they are stored. */
static int deliver(CURL *curl, struct ecu *ecu, const struct parcel *parcel)
{
	char url[300];

	snprintf(url, sizeof(url), "%s/uplink/v1/batches", options.uplink);
	for (int wait_ms = RETRY_MS;; wait_ms = wait_ms < 8000 ? wait_ms * 2 : wait_ms) {
		struct curl_slist *header = clock_headers(ecu);
		const struct call call = { url, ecu, header, parcel->body.bytes, parcel->body.n };
		struct answer answer = { 0 };
		curl_off_t after_s = 0;
		int ret = request_run(curl, &call, &answer);

		curl_slist_free_all(header);
		if (ret == 0 && answer.status == 200) {
			struct json_object *json = json_tokener_parse(answer.text);

			take_orders(ecu, json);
			json_object_put(json);
			free(answer.text);
			log_parcel(ecu, parcel);
			return 0;
		}
		add_failure();
		if (ret == 0 && answer.status < 500) {
			fprintf(stderr, "ECU %012" PRIu64 ": %ld %s\n", ecu->id, answer.status,
				answer.text ? answer.text : "");
			free(answer.text);
			return -EPROTO;
		}
		free(answer.text);
		if (stopped) {
			return -EINTR;
		}
		curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &after_s);
		sleep_ms(after_s > 0 ? (int)after_s * 1000 : wait_ms);
	}
}

/* Adds a batch with @count reports of each inverter, the last at @time_s. */
static int add_batch(struct ecu *ecu, struct parcel *parcel, int64_t time_s, int count, int step_s)
{
	struct report *reports __cleanup(free_ptr) =
		calloc((size_t)(options.units * count) + 1, sizeof(*reports));
	struct batch_result results[RESULTS_MAX];
	struct batch batch = {
		.head = { .ecu = ecu->id,
			  .epoch = ecu->epoch,
			  .sequence = ++ecu->sequence,
			  .wall_ms = time_s * 1000,
			  .monotonic_ms = clock_monotonic_us() / 1000 -
					  (uint64_t)(clock_wall_ms() - time_s * 1000),
			  .boot = ecu->boot,
			  .zone_min = ZONE_MIN,
			  .flags = BATCH_CLOCK_SYNCHRONIZED },
		.reports = reports,
		.results = results,
	};
	uint8_t *bytes;
	size_t n;
	int ret;

	if (!reports) {
		return -ENOMEM;
	}
	for (int unit = 0; unit < options.units; unit++) {
		for (int i = 0; i < count; i++) {
			roof_report(&ecu->unit[unit], &fleet.sky,
				    time_s - (int64_t)(count - 1 - i) * step_s, ZONE_MIN,
				    &reports[batch.report_count++]);
		}
	}
	pthread_mutex_lock(&ecu->lock);
	memcpy(results, ecu->result, sizeof(results));
	batch.result_count = ecu->results;
	ecu->results = 0;
	ecu->urgent = false;
	pthread_mutex_unlock(&ecu->lock);
	ret = batch_seal(&batch, &bytes, &n);
	if (ret == 0) {
		pack_bytes(&parcel->body, bytes, n);
		parcel->head[parcel->n++] = batch.head;
		parcel->reports += batch.report_count;
		free(bytes);
	}
	return ret < 0 ? ret : parcel->body.failed ? -ENOMEM : 0;
}

/* Seals and delivers one batch. */
static int send_batch(CURL *curl, struct ecu *ecu, int64_t time_s, int count)
{
	struct parcel parcel = { 0 };
	int ret = add_batch(ecu, &parcel, time_s, count, HISTORY_STEP_S);

	if (ret == 0) {
		ret = deliver(curl, ecu, &parcel);
	}
	free(parcel.body.bytes);
	return ret;
}

/* ---- ECUs ---- */

static int init_ecu(struct ecu *ecu, int number)
{
	struct tls_pair pair;
	char name[ID_TEXT_SIZE];
	char err[200];

	ecu->id = options.first + (uint64_t)number;
	ecu->boot = randombytes_random();
	pthread_mutex_init(&ecu->lock, NULL);
	randombytes_buf(&ecu->epoch, sizeof(ecu->epoch));
	for (int i = 0; i < options.units; i++) {
		roof_unit_init(&ecu->unit[i],
			       806000000000 + ecu->id % 100000000 * 100 + (uint64_t)i + 1,
			       ecu->id * 1000 + (uint64_t)i);
	}
	id_format(name, ecu->id);
	if (tls_client_pair(options.folder, name, &pair, err, sizeof(err)) < 0) {
		fprintf(stderr, "%s\n", err);
		return -EIO;
	}
	tls_pair_free(&pair);
	snprintf(ecu->cert, sizeof(ecu->cert), "%s/%s.pem", options.folder, name);
	snprintf(ecu->key, sizeof(ecu->key), "%s/%s.key", options.folder, name);
	return 0;
}

static int send_history(CURL *curl, struct ecu *ecu)
{
	int64_t now_s = clock_wall_ms() / 1000;
	int64_t step_s = HISTORY_STEP_S * HISTORY_REPORTS;
	int ret = 0;

	for (int64_t t = now_s - (int64_t)options.history_days * 86400; ret == 0 && t < now_s;
	     t += step_s) {
		ret = send_batch(curl, ecu, t, HISTORY_REPORTS);
	}
	return ret;
}

/* What an ECU kept while it could not reach the service: a batch for each period, oldest first. */
static int send_outage(CURL *curl, struct ecu *ecu)
{
	int64_t now_s = clock_wall_ms() / 1000;
	int64_t t = now_s - (int64_t)options.outage_h * 3600;
	int ret = 0;

	while (ret == 0 && t < now_s && !stopped) {
		struct parcel parcel = { 0 };

		for (; parcel.n < OUTAGE_BATCHES && t < now_s && ret == 0; t += options.period_s) {
			ret = add_batch(ecu, &parcel, t, 1, options.period_s);
		}
		ret = ret < 0 ? ret : deliver(curl, ecu, &parcel);
		free(parcel.body.bytes);
		sleep_ms(t < now_s ? OUTAGE_PAUSE_MS : 0);
	}
	return ret;
}

static bool is_urgent(struct ecu *ecu)
{
	bool urgent;

	pthread_mutex_lock(&ecu->lock);
	urgent = ecu->urgent;
	pthread_mutex_unlock(&ecu->lock);
	return urgent;
}

static int send_live(CURL *curl, struct ecu *ecu)
{
	int64_t time_s = clock_wall_ms() / 1000;
	uint64_t begin_us = now_us();
	int ret = send_batch(curl, ecu, time_s, 1);

	if (ret == 0) {
		add_answer(ecu, time_s, begin_us);
	}
	return ret;
}

/* The ECU of a thread that delivers next, one with results at once; NULL when all have ended. */
static struct ecu *next_ecu(int number, uint64_t *ret_due_us)
{
	struct ecu *next = NULL;

	*ret_due_us = UINT64_MAX;
	for (int i = number; i < options.ecus; i += options.threads) {
		struct ecu *ecu = &fleet.ecu[i];

		if (is_urgent(ecu)) {
			*ret_due_us = 0;
			return ecu;
		}
		if ((!options.batches || ecu->sent < options.batches) &&
		    ecu->due_us < *ret_due_us) {
			*ret_due_us = ecu->due_us;
			next = ecu;
		}
	}
	return next;
}

/* Batches of the ECUs number, number + threads, ... at their times. */
static void live(CURL *curl, int number, uint64_t end_us)
{
	while (!stopped && now_us() < end_us) {
		uint64_t due_us;
		struct ecu *next = next_ecu(number, &due_us);

		if (!next || due_us > end_us) {
			return;
		}
		if (due_us > now_us()) {
			sleep_ms((int)((due_us - now_us()) / 1000 % 20) + 1);
			continue;
		}
		/* Results alone: no report is due. */
		if (due_us == 0) {
			send_batch(curl, next, clock_wall_ms() / 1000, 0);
			continue;
		}
		if (send_live(curl, next) < 0) {
			next->sent = options.batches ? options.batches : next->sent;
		}
		next->sent++;
		next->due_us =
			next->steady_us + (uint64_t)((next->sent - 1) * (double)options.period_s *
						     1e6 / clock_rate());
	}
}

static int first_s(void)
{
	int s = options.ecus / FIRST_RATE > FIRST_S ? options.ecus / FIRST_RATE : FIRST_S;

	return s < options.period_s ? s : options.period_s;
}

/* Runs a step for all ECUs of a thread. */
static void for_each(CURL *curl, int number, int (*step)(CURL *curl, struct ecu *ecu))
{
	for (int i = number; i < options.ecus && !stopped; i += options.threads) {
		if (step(curl, &fleet.ecu[i]) < 0) {
			stopped = 1;
		}
	}
}

static int begin_ecu(CURL *curl, struct ecu *ecu)
{
	int ret = init_ecu(ecu, (int)(ecu - fleet.ecu));

	if (ret == 0 && options.api) {
		sem_wait(&fleet.enrolling);
		ret = enrol(curl, ecu);
		sem_post(&fleet.enrolling);
	}
	return ret;
}

static void *run(void *ctx)
{
	int number = (int)(intptr_t)ctx;
	CURL *curl = curl_easy_init();
	uint64_t begin_us;

	for_each(curl, number, begin_ecu);
	pthread_barrier_wait(&fleet.enrolled);
	begin_us = now_us();
	while (options.outage_h && !stopped &&
	       now_us() < begin_us + (uint64_t)number * 1000000 / OUTAGE_RATE) {
		sleep_ms(50);
	}
	for_each(curl, number, options.outage_h ? send_outage : send_history);
	if (options.outage_h) {
		double seconds = (double)(now_us() - begin_us) / 1e6;

		pthread_mutex_lock(&fleet.lock);
		fleet.outage_s = seconds > fleet.outage_s ? seconds : fleet.outage_s;
		pthread_mutex_unlock(&fleet.lock);
	}
	begin_us = now_us();
	for (int i = number; i < options.ecus; i += options.threads) {
		double part = (double)i / options.ecus * 1e6 / clock_rate();

		fleet.ecu[i].due_us = begin_us + (uint64_t)(first_s() * part);
		/* The second batches follow the last of the first ones, without a pause. */
		fleet.ecu[i].steady_us = begin_us + (uint64_t)(first_s() * 1e6 / clock_rate() +
							       options.period_s * part);
	}
	live(curl, number,
	     options.for_s > 0 ? begin_us + (uint64_t)((options.for_s + first_s()) * 1e6)
			       : UINT64_MAX);
	curl_easy_cleanup(curl);
	return NULL;
}

static void *run_wait(void *ctx)
{
	int first = (int)(intptr_t)ctx * WAIT_ECUS;
	int n = options.ecus - first < WAIT_ECUS ? options.ecus - first : WAIT_ECUS;

	pthread_barrier_wait(&fleet.enrolled);
	wait_for_orders(&fleet.ecu[first], n, take_orders);
	return NULL;
}

/* Reads the page of one site at a time until it shows a batch. */
static void *run_pages(void *ctx)
{
	CURL *curl = curl_easy_init();

	(void)ctx;
	for (; !stopped; sleep_ms(PAGE_MS)) {
		struct json_object *site;
		struct page page;
		char url[300];

		pthread_mutex_lock(&fleet.lock);
		page = fleet.wanted;
		pthread_mutex_unlock(&fleet.lock);
		if (!page.begin_us) {
			continue;
		}
		snprintf(url, sizeof(url), "%s/api/v1/sites/%" PRId64, options.api, page.site);
		site = request_json(curl, url, fleet.token, NULL, NULL);
		if (json_object_get_int64(json_object_object_get(site, "last_ms")) >=
		    page.time_s * 1000) {
			pthread_mutex_lock(&fleet.lock);
			add_time(&fleet.page, (double)(now_us() - page.begin_us) / 1000);
			fleet.wanted.begin_us = 0;
			pthread_mutex_unlock(&fleet.lock);
		}
		json_object_put(site);
	}
	curl_easy_cleanup(curl);
	return NULL;
}

/* ---- program ---- */

static const struct argp_option argp_options[] = {
	{ "api", 'a', "URL", 0, "create a site for each ECU there and enrol it", 0 },
	{ "token", 't', "FILE", 0, "token for --api", 0 },
	{ "uplink", 'u', "URL", 0, "where batches go", 0 },
	{ "ca", 'c', "FILE", 0, "certificate of the service's authority", 0 },
	{ "folder", 'f', "FOLDER", 0, "keys of the ECUs, build/fleet unless given", 0 },
	{ "sky", 's', "FILE", 0, "day with irradiance", 0 },
	{ "log", 'l', "FILE", 0, "write a line for each batch that was stored", 0 },
	{ "ecus", 'n', "COUNT", 0, "10 unless given", 0 },
	{ "first", '1', "ID", 0, "identity of the first ECU", 0 },
	{ "units", 'U', "COUNT", 0, "inverters of an ECU, 12 unless given", 0 },
	{ "period", 'p', "SECONDS", 0, "time between two reports, 300 unless given", 0 },
	{ "batches", 'b', "COUNT", 0, "live batches of each ECU; no end unless given", 0 },
	{ "history", 'H', "DAYS", 0, "first deliver the last days", 0 },
	{ "outage", 'o', "HOURS", 0,
	  "first deliver the backlog of an outage of this length, in batches", 0 },
	{ "orders", 'w', NULL, 0, "wait for orders, as an ECU does", 0 },
	{ "pages", 'P', NULL, 0, "measure when the page of a site shows a batch", 0 },
	{ "for", 'F', "SECONDS", 0, "end this long after all ECUs have delivered once", 0 },
	{ "threads", 'T', "COUNT", 0, "requests at once, 16 unless given", 0 },
	{ 0 },
};

static int to_int(const char *text, int min, int max, struct argp_state *state)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*end || !*text || value < min || value > max) {
		argp_error(state, "expected an integer from %d to %d, found '%s'", min, max, text);
	}
	return (int)value;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	const struct {
		int key;
		const char **text;
	} texts[] = {
		{ 'a', &options.api }, { 't', &options.token_file }, { 'u', &options.uplink },
		{ 'c', &options.ca },  { 'f', &options.folder },     { 's', &options.sky },
		{ 'l', &options.log },
	};
	const struct {
		int key;
		int *number;
		int min;
		int max;
	} numbers[] = {
		{ 'n', &options.ecus, 1, ECUS_MAX },	  { 'U', &options.units, 1, UNITS_MAX },
		{ 'p', &options.period_s, 1, 3600 },	  { 'b', &options.batches, 0, 1000000 },
		{ 'H', &options.history_days, 0, 36500 }, { 'T', &options.threads, 1, THREADS_MAX },
		{ 'o', &options.outage_h, 0, 1000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (texts[i].key == key) {
			*texts[i].text = value;
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (numbers[i].key == key) {
			*numbers[i].number = to_int(value, numbers[i].min, numbers[i].max, state);
			return 0;
		}
	}
	switch (key) {
	case '1':
		return id_parse(value, &options.first) < 0 ? EINVAL : 0;
	case 'F':
		options.for_s = atof(value);
		return 0;
	case 'w':
		options.orders = true;
		return 0;
	case 'P':
		options.pages = true;
		return 0;
	case ARGP_KEY_END:
		if (options.pages && !options.api) {
			argp_error(state, "expected --api with --pages");
		}
		if (!options.uplink || !options.ca || (options.api && !options.token_file)) {
			argp_error(state, "expected --uplink, --ca, and --token with --api");
		}
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double percentile(const struct times *times, double part)
{
	return times->n ? times->ms[(size_t)((double)(times->n - 1) * part)] : 0;
}

static void add_times(struct json_object *summary, const char *name, struct times *times)
{
	static const struct {
		const char *name;
		double part;
	} parts[] = { { "p50_ms", 0.5 }, { "p99_ms", 0.99 }, { "max_ms", 1 } };
	struct json_object *json = json_object_new_object();

	qsort(times->ms, times->n, sizeof(double), compare);
	json_object_object_add(json, "count", json_object_new_int64((int64_t)times->n));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		json_object_object_add(
			json, parts[i].name,
			json_object_new_double(round(percentile(times, parts[i].part) * 10) / 10));
	}
	json_object_object_add(summary, name, json);
}

static void print_summary(double seconds)
{
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {
		{ "reports", fleet.reports },
		{ "bytes", fleet.bytes },
		{ "failures", fleet.failures },
		{ "orders", fleet.orders },
	};
	struct json_object *summary = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		json_object_object_add(summary, counts[i].name,
				       json_object_new_int64((int64_t)counts[i].value));
	}
	json_object_object_add(summary, "seconds", json_object_new_double(round(seconds)));
	json_object_object_add(summary, "outage_s", json_object_new_double(round(fleet.outage_s)));
	add_times(summary, "first", &fleet.first);
	add_times(summary, "live", &fleet.live);
	add_times(summary, "page", &fleet.page);
	printf("%s\n", json_object_to_json_string_ext(summary, JSON_C_TO_STRING_PLAIN));
	json_object_put(summary);
}

static int read_token(void)
{
	FILE *file __cleanup(close_file) = fopen(options.token_file, "r");
	size_t size = 0;

	if (!file || getline(&fleet.token, &size, file) < 1) {
		fprintf(stderr, "%s: expected a token\n", options.token_file);
		return -EINVAL;
	}
	fleet.token[strcspn(fleet.token, "\r\n")] = '\0';
	return 0;
}

static bool set_up_times(void)
{
	struct {
		struct times *times;
		size_t max;
	} all[] = { { &fleet.first, LATENCIES_MAX },
		    { &fleet.live, LATENCIES_MAX },
		    { &fleet.page, PAGES_MAX } };
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		all[i].times->max = all[i].max;
		all[i].times->ms = calloc(all[i].max, sizeof(double));
		ok = ok && all[i].times->ms;
	}
	return ok;
}

/* Runs all threads to the end. The threads of the ECUs end by themselves; the others end after
 * them. */
static int start_threads(void)
{
	static pthread_t threads[THREADS_MAX];
	static pthread_t helpers[HELPERS_MAX];
	int waits = options.orders ? (options.ecus + WAIT_ECUS - 1) / WAIT_ECUS : 0;
	int failed = 0;

	sem_init(&fleet.enrolling, 0, ENROL_MAX);
	pthread_barrier_init(&fleet.enrolled, NULL, (unsigned int)(options.threads + waits));
	for (int i = 0; i < waits && !failed; i++) {
		failed = pthread_create(&helpers[i], NULL, run_wait, (void *)(intptr_t)i);
	}
	for (int i = 0; i < options.threads && !failed; i++) {
		failed = pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i);
	}
	if (options.pages && !failed) {
		failed = pthread_create(&helpers[waits], NULL, run_pages, NULL);
	}
	for (int i = 0; i < options.threads && !failed; i++) {
		pthread_join(threads[i], NULL);
	}
	stopped = stopped ? stopped : DONE;
	for (int i = 0; i < waits + options.pages && !failed; i++) {
		pthread_join(helpers[i], NULL);
	}
	errno = failed;
	return failed ? -failed : 0;
}

int main(int argc, char **argv)
{
	static const struct argp argp = { .options = argp_options,
					  .parser = parse,
					  .doc = "Generated ECUs for a monitoring service." };
	const struct sigaction stop = { .sa_handler = on_stop };
	uint64_t begin_us = now_us();
	char err[300];

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) || clock_setup() < 0) {
		return 1;
	}
	if (sky_load(&fleet.sky, options.sky, SKY_BEGIN_S, err, sizeof(err)) < 0) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	if (mkdir(options.folder, 0700) < 0 && errno != EEXIST) {
		perror(options.folder);
		return 1;
	}
	if (options.api && read_token() < 0) {
		return 1;
	}
	fleet.ecu = calloc((size_t)options.ecus, sizeof(*fleet.ecu));
	fleet.log = options.log ? fopen(options.log, "a") : NULL;
	if (!fleet.ecu || !set_up_times() || (options.log && !fleet.log)) {
		perror("qs1-fleet");
		return 1;
	}
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	if (start_threads() < 0) {
		perror("qs1-fleet");
		return 1;
	}
	print_summary((double)(now_us() - begin_us) / 1e6);
	return stopped == 1 ? 1 : 0;
}
