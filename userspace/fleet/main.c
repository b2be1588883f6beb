// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1-fleet: generated ECUs, each with a key, that deliver batches to a monitoring service as an
 * ECU does. For load tests, and for tests that compare what was sent with what is stored.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
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
#include "roof.h"
#include "service_clock.h"
#include "tls.h"
#include "util.h"

#define UNITS_MAX 100
#define RESULTS_MAX 32
#define THREADS_MAX 64
#define LATENCIES_MAX 2000000
#define ZONE_MIN (-420)
#define TIMEOUT_S 30
#define RETRY_MS 500
/* Batches of a history hold this many reports of each inverter. */
#define HISTORY_REPORTS 24
#define HISTORY_STEP_S 300
#define SKY_BEGIN_S (5 * 3600)
/* All ECUs deliver once within this time, s; later batches are spread over the period. */
#define FIRST_S 10

static struct {
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
	int threads;
	double for_s;
} options = {
	.folder = "build/fleet",
	.sky = "tests/data/day-clouds.csv",
	.ecus = 10,
	.first = 216000100000,
	.units = 12,
	.period_s = 300,
	.threads = 16,
};

/**
 * struct ecu - one generated ECU
 * @due_us: of its next batch
 * @steady_us: of its second batch, less a period
 * @cert, @key: files of its client certificate
 * @result: for orders, to go with the next batch
 */
struct ecu {
	uint64_t id;
	uint64_t epoch;
	uint64_t sequence;
	uint32_t boot;
	uint64_t due_us;
	uint64_t steady_us;
	int sent;
	char cert[512];
	char key[512];
	struct roof_unit unit[UNITS_MAX];
	struct batch_result result[RESULTS_MAX];
	size_t results;
};

static struct {
	struct sky sky;
	struct ecu *ecu;
	char *token;
	FILE *log;
	pthread_mutex_t lock;
	double latency_ms[LATENCIES_MAX];
	size_t latencies;
	uint64_t bytes;
	uint64_t reports;
	uint64_t failures;
	uint64_t orders;
} fleet = { .lock = PTHREAD_MUTEX_INITIALIZER };

static volatile sig_atomic_t stopped;

static void on_stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* ---- requests ---- */

struct answer {
	char *text;
	size_t n;
	long status;
};

static size_t take_answer(char *bytes, size_t size, size_t n, void *ctx)
{
	struct answer *answer = ctx;
	char *more = realloc(answer->text, answer->n + size * n + 1);

	if (!more) {
		return 0;
	}
	answer->text = more;
	memcpy(more + answer->n, bytes, size * n);
	answer->n += size * n;
	more[answer->n] = '\0';
	return size * n;
}

/**
 * struct call - a request
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

/* Return: 0 with an answer of any status, -EIO without one. @ret_answer->text is to be freed. */
static int post(CURL *curl, const struct call *call, struct answer *ret_answer)
{
	struct answer answer = { 0 };
	CURLcode code;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, call->url);
	curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, call->header);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)call->n);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (call->ecu) {
		curl_easy_setopt(curl, CURLOPT_SSLCERT, call->ecu->cert);
		curl_easy_setopt(curl, CURLOPT_SSLKEY, call->ecu->key);
	}
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
	if (code != CURLE_OK) {
		free(answer.text);
		return -EIO;
	}
	*ret_answer = answer;
	return 0;
}

/* Posts JSON with the token, or with a client certificate. Return: the answer or NULL. */
static struct json_object *post_json(CURL *curl, const char *url, const struct ecu *ecu,
				     struct json_object *body)
{
	const char *text = json_object_to_json_string(body);
	struct curl_slist *header = curl_slist_append(NULL, "Content-Type: application/json");
	char bearer[200];
	struct call call = { .url = url, .ecu = ecu, .body = text, .n = strlen(text) };
	struct json_object *json = NULL;
	struct answer answer;

	if (!ecu) {
		snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s", fleet.token);
		header = curl_slist_append(header, bearer);
	}
	call.header = header;
	if (post(curl, &call, &answer) == 0) {
		if (answer.status < 300) {
			json = json_tokener_parse(answer.text ? answer.text : "");
		} else {
			fprintf(stderr, "%s: %ld %s\n", url, answer.status,
				answer.text ? answer.text : "");
		}
		free(answer.text);
	}
	curl_slist_free_all(header);
	json_object_put(body);
	return json;
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
	site = post_json(curl, url, NULL, object("name", name, NULL, NULL));
	if (!site) {
		return -EIO;
	}
	snprintf(url, sizeof(url), "%s/api/v1/sites/%" PRId64 "/ecus", options.api,
		 json_object_get_int64(json_object_object_get(site, "id")));
	code = post_json(curl, url, NULL, object("ecu", text, NULL, NULL));
	if (code) {
		snprintf(url, sizeof(url), "%s/uplink/v1/enrol", options.uplink);
		done = post_json(
			curl, url, ecu,
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

static void add_latency(double ms, size_t bytes, size_t reports)
{
	pthread_mutex_lock(&fleet.lock);
	if (fleet.latencies < LATENCIES_MAX) {
		fleet.latency_ms[fleet.latencies++] = ms;
	}
	fleet.bytes += bytes;
	fleet.reports += reports;
	pthread_mutex_unlock(&fleet.lock);
}

/* Every order is confirmed with the next batch. */
static void take_orders(struct ecu *ecu, struct json_object *answer)
{
	struct json_object *orders = json_object_object_get(answer, "orders");

	for (size_t i = 0; orders && i < json_object_array_length(orders); i++) {
		struct json_object *order = json_object_array_get_idx(orders, i);
		struct batch_result *result = &ecu->result[ecu->results];
		const char *serial =
			json_object_get_string(json_object_object_get(order, "serial"));

		if (ecu->results == RESULTS_MAX) {
			break;
		}
		*result = (struct batch_result){ .time_ms = clock_wall_ms(), .state = "confirmed" };
		snprintf(result->order, sizeof(result->order), "%s",
			 json_object_get_string(json_object_object_get(order, "id")));
		snprintf(result->text, sizeof(result->text), "read back");
		if (serial) {
			id_parse(serial, &result->serial);
		}
		ecu->results++;
		pthread_mutex_lock(&fleet.lock);
		fleet.orders++;
		pthread_mutex_unlock(&fleet.lock);
	}
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

static void sleep_ms(int ms)
{
	const struct timespec wait = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&wait, NULL);
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Sends the same bytes until they are stored. */
static int deliver(CURL *curl, struct ecu *ecu, const struct batch *batch, const uint8_t *bytes,
		   size_t n)
{
	char hash[2 * BATCH_HASH_BYTES + 1];
	char url[300];

	snprintf(url, sizeof(url), "%s/uplink/v1/batches", options.uplink);
	for (int wait_ms = RETRY_MS;; wait_ms = wait_ms < 8000 ? wait_ms * 2 : wait_ms) {
		struct curl_slist *header = clock_headers(ecu);
		const struct call call = { url, ecu, header, bytes, n };
		struct answer answer = { 0 };
		uint64_t begin_us = now_us();
		int ret = post(curl, &call, &answer);

		curl_slist_free_all(header);
		if (ret == 0 && answer.status == 200) {
			struct json_object *json = json_tokener_parse(answer.text);

			add_latency((double)(now_us() - begin_us) / 1000, n, batch->report_count);
			take_orders(ecu, json);
			json_object_put(json);
			free(answer.text);
			break;
		}
		pthread_mutex_lock(&fleet.lock);
		fleet.failures++;
		pthread_mutex_unlock(&fleet.lock);
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
		sleep_ms(wait_ms);
	}
	sodium_bin2hex(hash, sizeof(hash), batch->head.hash, BATCH_HASH_BYTES);
	pthread_mutex_lock(&fleet.lock);
	if (fleet.log) {
		fprintf(fleet.log, "%012" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n", ecu->id,
			ecu->epoch, batch->head.sequence, hash);
		fflush(fleet.log);
	}
	pthread_mutex_unlock(&fleet.lock);
	return 0;
}

/* Seals and delivers a batch with @count reports of each inverter, the last at @time_s. */
static int send_batch(CURL *curl, struct ecu *ecu, int64_t time_s, int count)
{
	struct report *reports __cleanup(free_ptr) =
		calloc((size_t)(options.units * count), sizeof(*reports));
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
		.results = ecu->result,
		.result_count = ecu->results,
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
				    time_s - (int64_t)(count - 1 - i) * HISTORY_STEP_S, ZONE_MIN,
				    &reports[batch.report_count++]);
		}
	}
	ret = batch_seal(&batch, &bytes, &n);
	ecu->results = 0;
	if (ret == 0) {
		ret = deliver(curl, ecu, &batch, bytes, n);
		free(bytes);
	}
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

/* Batches of the ECUs number, number + threads, ... at their times. */
static void live(CURL *curl, int number, uint64_t end_us)
{
	for (int left = 1; left && !stopped;) {
		uint64_t next_us = UINT64_MAX;
		struct ecu *next = NULL;

		left = 0;
		for (int i = number; i < options.ecus; i += options.threads) {
			struct ecu *ecu = &fleet.ecu[i];

			if (options.batches && ecu->sent >= options.batches) {
				continue;
			}
			if (ecu->due_us < next_us) {
				next_us = ecu->due_us;
				next = ecu;
			}
		}
		if (!next || next_us > end_us) {
			return;
		}
		left = 1;
		while (now_us() < next_us && !stopped) {
			sleep_ms((int)((next_us - now_us()) / 1000 % 100) + 1);
		}
		if (send_batch(curl, next, clock_wall_ms() / 1000, 1) < 0) {
			next->sent = options.batches ? options.batches : next->sent;
		}
		next->sent++;
		next->due_us = next->steady_us + (uint64_t)(next->sent * (double)options.period_s *
							    1e6 / clock_rate());
	}
}

static void *run(void *ctx)
{
	int number = (int)(intptr_t)ctx;
	CURL *curl = curl_easy_init();
	uint64_t begin_us;

	for (int i = number; i < options.ecus && !stopped; i += options.threads) {
		if (init_ecu(&fleet.ecu[i], i) < 0 ||
		    (options.api && enrol(curl, &fleet.ecu[i]) < 0) ||
		    (options.history_days && send_history(curl, &fleet.ecu[i]) < 0)) {
			stopped = 1;
		}
	}
	begin_us = now_us();
	for (int i = number; i < options.ecus; i += options.threads) {
		double part = (double)i / options.ecus * 1e6 / clock_rate();
		int first_s = options.period_s < FIRST_S ? options.period_s : FIRST_S;

		fleet.ecu[i].due_us = begin_us + (uint64_t)(first_s * part);
		fleet.ecu[i].steady_us = begin_us + (uint64_t)(options.period_s * part);
	}
	live(curl, number,
	     options.for_s > 0 ? begin_us + (uint64_t)(options.for_s * 1e6) : UINT64_MAX);
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
	{ "for", 'F', "SECONDS", 0, "end after that time", 0 },
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
		{ 'n', &options.ecus, 1, 100000 },	  { 'U', &options.units, 1, UNITS_MAX },
		{ 'p', &options.period_s, 1, 3600 },	  { 'b', &options.batches, 0, 1000000 },
		{ 'H', &options.history_days, 0, 36500 }, { 'T', &options.threads, 1, THREADS_MAX },
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
	case ARGP_KEY_END:
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

static double percentile(double part)
{
	return fleet.latencies ? fleet.latency_ms[(size_t)((double)(fleet.latencies - 1) * part)]
			       : 0;
}

static void print_summary(double seconds)
{
	qsort(fleet.latency_ms, fleet.latencies, sizeof(double), compare);
	printf("{\"batches\": %zu, \"reports\": %" PRIu64 ", \"bytes\": %" PRIu64
	       ", \"failures\": %" PRIu64 ", \"orders\": %" PRIu64
	       ", \"seconds\": %.1f, \"p50_ms\": %.1f, \"p99_ms\": %.1f, \"max_ms\": %.1f}\n",
	       fleet.latencies, fleet.reports, fleet.bytes, fleet.failures, fleet.orders, seconds,
	       percentile(0.5), percentile(0.99), percentile(1));
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

int main(int argc, char **argv)
{
	static const struct argp argp = { .options = argp_options,
					  .parser = parse,
					  .doc = "Generated ECUs for a monitoring service." };
	const struct sigaction stop = { .sa_handler = on_stop };
	pthread_t thread[THREADS_MAX];
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
	if (!fleet.ecu || (options.log && !fleet.log)) {
		perror("qs1-fleet");
		return 1;
	}
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	for (int i = 0; i < options.threads; i++) {
		if (pthread_create(&thread[i], NULL, run, (void *)(intptr_t)i)) {
			perror("qs1-fleet");
			return 1;
		}
	}
	for (int i = 0; i < options.threads; i++) {
		pthread_join(thread[i], NULL);
	}
	print_summary((double)(now_us() - begin_us) / 1e6);
	return stopped ? 1 : 0;
}
