// SPDX-License-Identifier: GPL-2.0-or-later
/* The ECUs' port, see ingest.h. */
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "auth.h"
#include "guess.h"
#include "http.h"
#include "ingest.h"
#include "log.h"
#include "orders.h"
#include "service_clock.h"
#include "thread.h"

/* Crockford's base 32: no I, L, O, U. */
static const char code_digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
#define CODE_CHARS 10
#define ORDER_WAIT_MAX_S 60
/* Of nginx, see userspace/emad/system/nginx-uplink.conf. */
#define CERTIFICATE_HEADER "QS1-Client-Certificate"
/* Of a 409: the sequence of the batch; those before it in the request are stored. */
#define CONFLICT_HEADER "QS1-Conflict"
/* The committing thread looks for new orders this often, ms. */
#define TICK_MS 500
/* Files of the process beside the connections of ECUs. */
#define OTHER_FILES 256
/* Orders that an ECU has to see; $1 is now, $2 the time before which an order is sent again, ms. */
#define ORDERS_DUE                                                                                 \
	"state IN ('queued', 'sent') AND issued_ms + ttl_s * 1000 > $1 AND (sent_ms IS NULL OR "   \
	"sent_ms < $2)"

enum queue {
	QUEUE_LIVE,
	QUEUE_BACKLOG,
	QUEUES,
};

enum kind {
	KIND_BATCHES,
	KIND_ORDERS,
	KIND_ENROL,
};

/**
 * struct waiting - a request that waits for the committing thread
 * @due_us: KIND_ORDERS: when it is answered in any case
 * @batches: KIND_BATCHES: how many it has
 * @found, @shard: whether and where find_shard() has found its ECU
 * @ecu: once it is known
 * @reply: what goes out after the commit; an error when it is NULL
 */
struct waiting {
	struct waiting *next;
	struct http_request *request;
	enum kind kind;
	uint64_t due_us;
	int batches;
	bool found;
	int shard;
	struct store_ecu ecu;
	struct json_object *reply;
	unsigned int status;
	const char *code;
	char message[256];
};

struct ingest {
	struct store *store;
	struct bus *bus;
	char job_key[2 * JOB_PUBLIC_BYTES + 1]; /* public, hexadecimal */
	struct http_server *server;
	pthread_t thread;
	bool running;
	void (*stored)(void *ctx);
	void *ctx;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping;
	bool new_order;
	uint64_t look_us; /* when to look for orders of other processes */
	struct {
		struct waiting *first;
		struct waiting **end;
		int count;
	} queue[QUEUES];
	/* of the committing thread */
	struct waiting *held;
	struct bus_batch *batches; /* of the group, for the bus */
	size_t batch_count;
	struct guess guess;
};

void ingest_code(char *ret_code, uint8_t *ret_hash)
{
	char code[CODE_CHARS + 2];
	int n = 0;

	for (int i = 0; i < CODE_CHARS; i++) {
		if (i == CODE_CHARS / 2) {
			code[n++] = '-';
		}
		code[n++] = code_digits[randombytes_uniform(sizeof(code_digits) - 1)];
	}
	code[n] = '\0';
	ingest_code_hash(code, ret_hash);
	strcpy(ret_code, code);
}

void ingest_code_hash(const char *code, uint8_t *ret_hash)
{
	char text[CODE_CHARS + 1];
	size_t n = 0;

	for (; *code && n < CODE_CHARS; code++) {
		if (*code != '-') {
			text[n++] = *code >= 'a' && *code <= 'z' ? *code - 'a' + 'A' : *code;
		}
	}
	/* A code that is too long is another one. */
	crypto_generichash(ret_hash, INGEST_CODE_HASH_BYTES, (const uint8_t *)text, n,
			   (const uint8_t *)"ema enrol code 1", *code ? 0 : 16);
}

/* ---- in the server's thread ---- */

static void set_retry_after(struct http_request *request)
{
	char after[16];

	snprintf(after, sizeof(after), "%u",
		 INGEST_RETRY_S + randombytes_uniform(2 * INGEST_RETRY_S + 1));
	http_set_header(request, "Retry-After", after);
}

static void refuse_busy(struct http_request *request)
{
	set_retry_after(request);
	http_reply_error(request, 503, "busy", "more requests than can be stored at once");
	http_resume(request);
}

static void enqueue(struct http_request *request, enum kind kind, uint64_t due_us, int batches)
{
	static const int max[QUEUES] = { INGEST_LIVE_MAX, INGEST_BACKLOG_MAX };
	enum queue queue = batches > INGEST_LIVE_BATCHES ? QUEUE_BACKLOG : QUEUE_LIVE;
	struct ingest *ingest = http_ctx(request);
	struct waiting *waiting = calloc(1, sizeof(*waiting));
	bool room;

	pthread_mutex_lock(&ingest->lock);
	room = waiting && ingest->queue[queue].count < max[queue] && !ingest->stopping;
	if (room) {
		*waiting = (struct waiting){
			.request = request, .kind = kind, .due_us = due_us, .batches = batches
		};
		*ingest->queue[queue].end = waiting;
		ingest->queue[queue].end = &waiting->next;
		ingest->queue[queue].count++;
		pthread_cond_signal(&ingest->wake);
	}
	pthread_mutex_unlock(&ingest->lock);
	if (!room) {
		free(waiting);
		refuse_busy(request);
	}
}

/* Check the batches without the database. Return: their number, 0 after an error. */
static int check_batches(struct http_request *request)
{
	size_t n;
	const uint8_t *bytes = http_body(request, &n);
	char err[200];
	int count = 0;

	while (n > 0 && count < INGEST_BATCHES_MAX) {
		struct batch batch;
		size_t length;

		if (batch_open(bytes, n, &batch, err, sizeof(err)) < 0 ||
		    batch_read_head(bytes, n, &batch.head, &length, err, sizeof(err)) < 0) {
			http_reply_error(request, 400, "malformed", "batch %d of the body: %s",
					 count + 1, err);
			return 0;
		}
		batch_clear(&batch);
		bytes += length;
		n -= length;
		count++;
	}
	if (n > 0 || count == 0) {
		http_reply_error(request, 400, "malformed",
				 "expected 1 to %d batches, found %zu bytes after batch %d",
				 INGEST_BATCHES_MAX, n, count);
		return 0;
	}
	return count;
}

static void post_batches(struct http_request *request)
{
	int count = check_batches(request);

	if (count > 0) {
		enqueue(request, KIND_BATCHES, 0, count);
	} else {
		http_resume(request);
	}
}

static void get_orders(struct http_request *request)
{
	int64_t wait_s;

	if (http_query_int(request, "wait", 0, ORDER_WAIT_MAX_S, 0, &wait_s)) {
		enqueue(request, KIND_ORDERS, clock_monotonic_us() + (uint64_t)wait_s * 1000000, 0);
	} else {
		http_resume(request);
	}
}

static void post_enrol(struct http_request *request)
{
	enqueue(request, KIND_ENROL, 0, 0);
}

static const struct http_route routes[] = {
	{ "POST", "/uplink/v1/batches", AUTH_PUBLIC, HTTP_BINARY | HTTP_LATER, BATCH_BYTES_MAX,
	  post_batches },
	{ "GET", "/uplink/v1/orders", AUTH_PUBLIC, HTTP_LATER, 0, get_orders },
	{ "POST", "/uplink/v1/enrol", AUTH_PUBLIC, HTTP_LATER | HTTP_CREDENTIAL, 4096, post_enrol },
};

/* ---- in the committing thread ---- */

/* Clock of @wake. */
static uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int fail(struct waiting *waiting, unsigned int status, const char *code, const char *format,
		...) __printf(4, 5);

/* The request gets this error; the transaction goes on. */
static int fail(struct waiting *waiting, unsigned int status, const char *code, const char *format,
		...)
{
	va_list arguments;

	waiting->status = status;
	waiting->code = code;
	va_start(arguments, format);
	vsnprintf(waiting->message, sizeof(waiting->message), format, arguments);
	va_end(arguments);
	return 0;
}

/* Who sends? Return: 1 when the key is enrolled, 0 with an error for the ECU, a negative errno. */
static int find_ecu(struct sql *sql, struct waiting *waiting)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	uint8_t hash[TLS_HASH_SIZE];
	int ret;

	if (http_peer_hash(waiting->request, hash) < 0) {
		return fail(waiting, 401, "no_certificate",
			    "expected a client certificate, found none");
	}
	ret = sql_query(sql, &rows,
			"SELECT ecu, site, customer FROM ecus JOIN sites ON sites.id = ecus.site "
			"WHERE key_hash = $1 AND revoked = 0 AND arriving = 0",
			"b", hash, sizeof(hash));
	if (ret == 0) {
		ret = sql_next(rows);
	}
	if (ret == 0) {
		return fail(waiting, 403, "unknown_key",
			    "the key of this certificate is not enrolled, or was revoked");
	}
	if (ret > 0) {
		waiting->ecu = (struct store_ecu){ (uint64_t)sql_int(rows, 0), sql_int(rows, 1),
						   sql_int(rows, 2) };
	}
	return ret;
}

/* An integer in a header; false when it is missing or malformed. */
static bool header_int(struct http_request *request, const char *name, int64_t *ret_value)
{
	const char *text = http_header(request, name);
	char *end;

	if (!text) {
		return false;
	}
	errno = 0;
	*ret_value = strtoll(text, &end, 10);
	return errno == 0 && *text && !*end;
}

static void read_clocks(struct http_request *request, struct store_clocks *clocks)
{
	int64_t monotonic = 0;
	int64_t boot = 0;

	clocks->known = header_int(request, "QS1-Wall-Ms", &clocks->wall_ms) &&
			clocks->wall_ms >= 0 && clocks->wall_ms <= REPORT_TIME_MAX * 1000 &&
			header_int(request, "QS1-Monotonic-Ms", &monotonic) && monotonic >= 0 &&
			header_int(request, "QS1-Boot", &boot) && boot >= 0 && boot <= UINT32_MAX;
	clocks->monotonic_ms = (uint64_t)monotonic;
	clocks->boot = (uint32_t)boot;
}

/* Only these: more may be due, or come meanwhile. */
static int mark_sent(struct sql *sql, const struct json_object *orders, int64_t now_ms)
{
	size_t n = json_object_array_length(orders);
	int ret = 0;

	for (size_t i = 0; i < n && ret >= 0; i++) {
		struct json_object *order = json_object_array_get_idx(orders, i);

		ret = sql_run(sql,
			      "UPDATE orders SET state = 'sent', sent_ms = $1 WHERE id = $2 AND "
			      "state IN ('queued', 'sent')",
			      "is", now_ms,
			      json_object_get_string(json_object_object_get(order, "id")));
	}
	return ret < 0 ? ret : 0;
}

/* Orders that the ECU has to see, marked as sent; NULL without memory or on an error of the
 * database. */
static struct json_object *take_orders(struct sql *sql, const struct store_ecu *ecu, int64_t now_ms)
{
	struct json_object *orders = json_object_new_array();
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(
		sql, &rows,
		"SELECT id, command, serial, arguments, by_name, role, issued_ms, ttl_s FROM orders "
		"WHERE " ORDERS_DUE " AND site = $3 ORDER BY sequence LIMIT 100",
		"iii", now_ms, now_ms - INGEST_ORDER_REPEAT_MS, ecu->site);

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		json_object_array_add(orders, orders_uplink_json(rows));
		ret = 0;
	}
	if (ret == 0) {
		ret = mark_sent(sql, orders, now_ms);
	}
	if (ret < 0) {
		json_object_put(orders);
		return NULL;
	}
	return orders;
}

/* The site has moved to another shard since its ECU was found in this one. */
static int fail_moved(struct waiting *waiting)
{
	set_retry_after(waiting->request);
	return fail(waiting, 503, "busy", "the site of this ECU is being moved");
}

/*
 * Also keeps the site in this shard until the transaction ends: a move locks the table.
 *
 * Return: 1, 0 with an error for the ECU, or a negative errno.
 */
static int touch_ecu(struct sql *sql, struct waiting *waiting, const struct store_clocks *clocks,
		     int64_t now_ms)
{
	int ret = sql_run(sql, "UPDATE ecus SET last_ms = $2, clock_offset_ms = $3 WHERE ecu = $1",
			  "iin", waiting->ecu.ecu, now_ms,
			  clocks->known ? clocks->wall_ms - now_ms : SQL_NULL);

	return ret == 0 ? fail_moved(waiting) : ret;
}

/* To the log, or to the list for the bus. Return: enum store_result or a negative errno. */
static int keep_batch(struct ingest *ingest, struct sql *sql, const struct waiting *waiting,
		      const struct batch_head *head, const struct bus_batch *batch)
{
	if (ingest->bus) {
		ingest->batches[ingest->batch_count++] = *batch;
		return STORE_NEW;
	}
	return store_batch(ingest->store, sql, &waiting->ecu, head, batch->bytes, batch->n,
			   batch->shift_s, batch->received_ms);
}

/* This batch is stored with another hash. */
static void fail_conflict(struct waiting *waiting, const struct batch_head *head)
{
	char sequence[24];

	snprintf(sequence, sizeof(sequence), "%" PRIu64, head->sequence);
	http_set_header(waiting->request, CONFLICT_HEADER, sequence);
	fail(waiting, 409, "conflict", "batch %s of epoch %" PRIu64 " is stored with another hash",
	     sequence, head->epoch);
}

/* Return: enum store_result of the last batch, or a negative errno; with an error for the ECU 0 and
 * @waiting->code. */
static int run_batches(struct ingest *ingest, struct sql *sql, struct waiting *waiting,
		       int64_t now_ms)
{
	struct store_clocks clocks;
	struct batch_head head = { 0 };
	struct json_object *orders;
	struct json_object *through;
	char epoch[24];
	char err[200];
	size_t n, length;
	const uint8_t *bytes = http_body(waiting->request, &n);
	int64_t stored;
	int ret = 0;

	read_clocks(waiting->request, &clocks);
	ret = touch_ecu(sql, waiting, &clocks, now_ms);
	if (ret <= 0) {
		return ret;
	}
	for (; n > 0; bytes += length, n -= length) {
		ret = batch_read_head(bytes, n, &head, &length, err, sizeof(err));
		if (ret < 0) {
			return ret;
		}
		if (head.ecu != waiting->ecu.ecu) {
			return fail(waiting, 403, "foreign",
				    "expected batches of ECU %012" PRIu64
				    ", found one of %012" PRIu64,
				    waiting->ecu.ecu, head.ecu);
		}
		ret = keep_batch(
			ingest, sql, waiting, &head,
			&(struct bus_batch){ .ecu = waiting->ecu,
					     .shift_s = store_shift(&head, &clocks, now_ms),
					     .shard = sql_shard(sql),
					     .received_ms = now_ms,
					     .bytes = bytes,
					     .n = length });
		if (ret < 0) {
			return ret;
		}
		if (ret == STORE_CONFLICT) {
			fail_conflict(waiting, &head);
			break;
		}
	}
	/* With a bus, the store advances it. */
	stored = ingest->bus ? store_through(sql, head.ecu, head.epoch)
			     : store_advance(sql, head.ecu, head.epoch);
	ret = stored < 0 ? (int)stored : 0;
	orders = ret < 0 || waiting->code ? NULL : take_orders(sql, &waiting->ecu, now_ms);
	if (!orders) {
		return waiting->code ? ret : -EIO;
	}
	snprintf(epoch, sizeof(epoch), "%" PRIu64, head.epoch);
	through = json_object_new_object();
	json_object_object_add(through, "epoch", json_object_new_string(epoch));
	json_object_object_add(through, "sequence", json_object_new_int64(stored));
	waiting->reply = json_object_new_object();
	json_object_object_add(waiting->reply, "stored_through", through);
	/* For an ECU that was enrolled before there were signed jobs. */
	json_object_object_add(waiting->reply, "job_key", json_object_new_string(ingest->job_key));
	json_object_object_add(waiting->reply, "orders", orders);
	return 0;
}

/* Leaves @reply NULL while there is no order to send. */
static int run_orders(struct sql *sql, struct waiting *waiting, int64_t now_ms)
{
	struct json_object *orders = take_orders(sql, &waiting->ecu, now_ms);

	if (!orders) {
		return -EIO;
	}
	if (json_object_array_length(orders) == 0 && clock_monotonic_us() < waiting->due_us) {
		json_object_put(orders);
		return 0;
	}
	waiting->reply = json_object_new_object();
	json_object_object_add(waiting->reply, "orders", orders);
	return 0;
}

/* What the ECU says of itself. Return: 1, or 0 with an error for the ECU. */
static int read_enrol(struct waiting *waiting, uint64_t *ret_ecu, uint8_t *ret_code_hash)
{
	struct json_object *json = http_json(waiting->request);
	const char *ecu = json_object_get_string(json_object_object_get(json, "ecu"));
	const char *code = json_object_get_string(json_object_object_get(json, "code"));

	if (!ecu || !code || id_parse(ecu, ret_ecu) < 0) {
		return fail(waiting, 400, "invalid",
			    "expected ecu as a text of 12 digits, and code as a text");
	}
	ingest_code_hash(code, ret_code_hash);
	return 1;
}

static int run_enrol(struct ingest *ingest, struct sql *sql, struct waiting *waiting,
		     int64_t now_ms)
{
	int64_t clock_ms = (int64_t)(clock_monotonic_us() / 1000);
	const char *from = http_from(waiting->request);
	uint8_t key[TLS_HASH_SIZE];
	uint8_t code_hash[INGEST_CODE_HASH_BYTES];
	char text[ID_TEXT_SIZE];
	uint64_t ecu;
	int ret;

	if (http_peer_hash(waiting->request, key) < 0) {
		return fail(waiting, 401, "no_certificate",
			    "expected a client certificate, found none");
	}
	if (guess_wait_ms(&ingest->guess, from, clock_ms) > 0) {
		return fail(waiting, 429, "too_many_guesses", "too many wrong codes from %s", from);
	}
	ret = read_enrol(waiting, &ecu, code_hash);
	if (ret <= 0) {
		return ret;
	}
	ret = sql_run(
		sql,
		"UPDATE ecus SET key_hash = $1, code_hash = NULL, revoked = 0, last_ms = $5 WHERE "
		"ecu = $2 AND code_hash = $3 AND code_expires_ms > $4",
		"bibii", key, sizeof(key), ecu, code_hash, sizeof(code_hash), now_ms, now_ms);
	if (ret == 0) {
		guess_failed(&ingest->guess, from, clock_ms);
		return fail(waiting, 403, "wrong_code",
			    "the code is wrong, was used, or is older than %d days",
			    INGEST_CODE_DAYS);
	}
	if (ret == -EEXIST) {
		return fail(waiting, 409, "exists", "the key of this certificate has another ECU");
	}
	if (ret > 0) {
		guess_passed(&ingest->guess, from);
		waiting->reply = json_object_new_object();
		json_object_object_add(waiting->reply, "job_key",
				       json_object_new_string(ingest->job_key));
		json_object_object_add(waiting->reply, "ecu",
				       json_object_new_string(id_format(text, ecu)));
		log_notice("ECU %s enrolled from %s", text, from);
	}
	return ret;
}

static int run_one(struct ingest *ingest, struct sql *sql, struct waiting *waiting, int64_t now_ms)
{
	int ret;

	if (waiting->kind == KIND_ENROL) {
		return run_enrol(ingest, sql, waiting, now_ms);
	}
	ret = find_ecu(sql, waiting);
	if (ret <= 0) {
		return ret == 0 && waiting->found ? fail_moved(waiting) : ret;
	}
	return waiting->kind == KIND_BATCHES ? run_batches(ingest, sql, waiting, now_ms)
					     : run_orders(sql, waiting, now_ms);
}

static void answer(struct waiting *waiting)
{
	if (waiting->code) {
		json_object_put(waiting->reply);
		http_reply_error(waiting->request, waiting->status, waiting->code, "%s",
				 waiting->message);
	} else {
		http_reply_json(waiting->request, 200, waiting->reply);
	}
	http_resume(waiting->request);
	free(waiting);
}

/* Nothing of the group is stored: all come back later. */
static void answer_failed(struct waiting *waiting, const char *why)
{
	json_object_put(waiting->reply);
	waiting->reply = NULL;
	set_retry_after(waiting->request);
	fail(waiting, 503, "busy", "cannot store now: %s", why);
	answer(waiting);
}

/* One transaction for a list of requests of a shard. */
static void commit_group(struct ingest *ingest, int shard, struct waiting *group)
{
	struct sql *sql = store_shard(ingest->store, shard);
	int64_t now_ms = clock_wall_ms();
	bool batches = false;
	int ret = !sql		? -ENOTCONN
		  : ingest->bus ? sql_begin(sql)
				: sql_begin_locked(sql, SQL_LOCK_LOG);

	for (struct waiting *each = group; each && ret >= 0; each = each->next) {
		ret = run_one(ingest, sql, each, now_ms);
		batches |= each->kind == KIND_BATCHES;
	}
	if (ret >= 0 && ingest->batch_count > 0) {
		ret = bus_publish(ingest->bus, ingest->batches, ingest->batch_count);
	}
	ingest->batch_count = 0;
	if (ret >= 0) {
		ret = sql_commit(sql);
	}
	if (ret < 0 && sql) {
		log_err("ingest: %s", sql_error(sql));
		sql_rollback(sql);
	}
	while (group) {
		struct waiting *next = group->next;

		if (ret < 0) {
			answer_failed(group, strerror(-ret));
		} else if (group->reply || group->code) {
			answer(group);
		} else {
			group->next = ingest->held;
			ingest->held = group;
		}
		group = next;
	}
	if (ret >= 0 && batches) {
		ingest->stored(ingest->ctx);
	}
}

/*
 * The shard of a request's ECU. The key is asked for in each, because it says nothing of the site;
 * a certificate that is in none gets its error from shard 0.
 *
 * Return: 0; or a negative errno when it may be in a shard that does not answer.
 */
static int find_shard(struct ingest *ingest, struct waiting *waiting)
{
	uint8_t key[TLS_HASH_SIZE];
	uint8_t code_hash[INGEST_CODE_HASH_BYTES];
	uint64_t ecu;
	int64_t found = 0;

	waiting->shard = 0;
	if (ingest->store->shards == 1 || http_peer_hash(waiting->request, key) < 0) {
		return 0;
	}
	if (waiting->kind == KIND_ENROL && read_enrol(waiting, &ecu, code_hash)) {
		found = store_find(ingest->store, 0, &waiting->shard,
				   "SELECT ecu FROM ecus JOIN sites ON sites.id = site WHERE ecu = "
				   "$1 AND code_hash = $2 AND arriving = 0",
				   "ib", ecu, code_hash, sizeof(code_hash));
	} else if (waiting->kind != KIND_ENROL) {
		found = store_find(ingest->store, 0, &waiting->shard,
				   "SELECT ecu FROM ecus JOIN sites ON sites.id = site WHERE "
				   "key_hash = $1 AND arriving = 0",
				   "b", key, sizeof(key));
	}
	waiting->found = found > 0;
	return found < 0 ? (int)found : 0;
}

/* A group of each shard after the other; one that is down refuses its requests alone. */
static void commit_shards(struct ingest *ingest, struct waiting *group)
{
	struct waiting *first[STORE_SHARDS_MAX] = { NULL };
	struct waiting **end[STORE_SHARDS_MAX];

	for (int i = 0; i < ingest->store->shards; i++) {
		end[i] = &first[i];
	}
	while (group) {
		struct waiting *next = group->next;
		int ret = find_shard(ingest, group);

		group->next = NULL;
		if (ret < 0) {
			answer_failed(group, strerror(-ret));
		} else {
			*end[group->shard] = group;
			end[group->shard] = &group->next;
		}
		group = next;
	}
	for (int i = 0; i < ingest->store->shards; i++) {
		if (first[i]) {
			commit_group(ingest, i, first[i]);
		}
	}
}

/* Moves requests from a queue to the end of a group until it is full. */
static void take_queue(struct ingest *ingest, enum queue queue, struct waiting ***end,
		       int *requests, int *batches)
{
	while (ingest->queue[queue].first && *requests < INGEST_GROUP_MAX &&
	       *batches < INGEST_GROUP_BATCHES) {
		struct waiting *waiting = ingest->queue[queue].first;

		ingest->queue[queue].first = waiting->next;
		ingest->queue[queue].count--;
		waiting->next = NULL;
		**end = waiting;
		*end = &waiting->next;
		*batches += waiting->batches;
		++*requests;
	}
	if (!ingest->queue[queue].first) {
		ingest->queue[queue].end = &ingest->queue[queue].first;
	}
}

static bool is_idle(const struct ingest *ingest)
{
	return !ingest->queue[QUEUE_LIVE].first && !ingest->queue[QUEUE_BACKLOG].first &&
	       !ingest->stopping && !ingest->new_order;
}

/*
 * The next group, live requests first; NULL when none came within a tick.
 *
 * @ret_look: it is time to look for new orders
 * @ret_stop: the service stops
 */
static struct waiting *take_group(struct ingest *ingest, bool *ret_look, bool *ret_stop)
{
	struct waiting *group = NULL;
	struct waiting **end = &group;
	uint64_t now_us;
	int requests = 0;
	int batches = 0;

	pthread_mutex_lock(&ingest->lock);
	while (is_idle(ingest) && (now_us = clock_us()) < ingest->look_us) {
		struct timespec until = { .tv_sec = (time_t)(ingest->look_us / 1000000),
					  .tv_nsec = (long)(ingest->look_us % 1000000) * 1000 };

		pthread_cond_timedwait(&ingest->wake, &ingest->lock, &until);
	}
	for (enum queue queue = 0; queue < QUEUES; queue++) {
		take_queue(ingest, queue, &end, &requests, &batches);
	}
	now_us = clock_us();
	*ret_look = ingest->new_order || now_us >= ingest->look_us;
	if (*ret_look) {
		ingest->new_order = false;
		ingest->look_us = now_us + TICK_MS * 1000;
	}
	*ret_stop = ingest->stopping;
	pthread_mutex_unlock(&ingest->lock);
	return group;
}

/**
 * struct order_sites - sites with orders to send
 */
struct order_sites {
	int64_t *site;
	size_t n;
};

/* Appends those of a shard. Return: 0 or a negative errno. */
static int find_order_sites(struct sql *sql, int64_t now_ms, struct order_sites *sites)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(sql, &rows, "SELECT DISTINCT site FROM orders WHERE " ORDERS_DUE, "ii",
			    now_ms, now_ms - INGEST_ORDER_REPEAT_MS);

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		int64_t *more = realloc(sites->site, (sites->n + 1) * sizeof(*more));

		ret = more ? 0 : -ENOMEM;
		if (more) {
			sites->site = more;
			sites->site[sites->n++] = sql_int(rows, 0);
		}
	}
	return ret;
}

static int compare_sites(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/*
 * Puts the requests that wait for an order before a group: those whose site has one, and those
 * whose time is over. One query of each shard for all, because thousands of ECUs wait.
 */
static struct waiting *wake_held(struct ingest *ingest, struct waiting *group)
{
	struct waiting *held = ingest->held;
	struct order_sites sites = { 0 };
	uint64_t now_us = clock_monotonic_us();

	for (int i = 0; held && i < ingest->store->shards; i++) {
		struct sql *sql = store_shard(ingest->store, i);

		if (sql && find_order_sites(sql, clock_wall_ms(), &sites) < 0) {
			log_err("ingest: %s", sql_error(sql));
		}
	}
	if (sites.n > 0) {
		qsort(sites.site, sites.n, sizeof(*sites.site), compare_sites);
	}
	ingest->held = NULL;
	while (held) {
		struct waiting *next = held->next;
		bool due = held->due_us <= now_us ||
			   (sites.n > 0 && bsearch(&held->ecu.site, sites.site, sites.n,
						   sizeof(*sites.site), compare_sites));

		held->next = due ? group : ingest->held;
		*(due ? &group : &ingest->held) = held;
		held = next;
	}
	free(sites.site);
	return group;
}

static void refuse_all(struct waiting *list)
{
	while (list) {
		struct waiting *next = list->next;

		answer_failed(list, "the service stops");
		list = next;
	}
}

static void *run(void *ctx)
{
	struct ingest *ingest = ctx;
	struct waiting *group;
	bool stop = false;
	bool look;

	while (!stop) {
		group = take_group(ingest, &look, &stop);
		if (look && !stop) {
			group = wake_held(ingest, group);
		}
		if (stop) {
			refuse_all(group);
		} else if (group) {
			commit_shards(ingest, group);
		}
	}
	refuse_all(ingest->held);
	/* Nothing is queued any more. */
	while ((group = take_group(ingest, &look, &stop))) {
		refuse_all(group);
	}
	return NULL;
}

/* Each connection has a file descriptor; the usual limit of a process is 1024. */
static int allow_files(rlim_t files)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
		return -errno;
	}
	if (limit.rlim_cur >= files) {
		return 0;
	}
	limit.rlim_cur = files;
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

/* Only nginx may name the client's certificate, so only its group may use the socket. */
static int share_socket(const struct config *config, char *err, size_t size)
{
	const struct group *group = getgrnam(config->uplink_group);

	if (!group) {
		snprintf(err, size, "uplink_group: expected a group, found '%s'",
			 config->uplink_group);
		return -ENOENT;
	}
	if (chown(config->uplink_socket, (uid_t)-1, group->gr_gid) < 0 ||
	    chmod(config->uplink_socket, 0660) < 0) {
		int ret = -errno;

		snprintf(err, size, "uplink_socket: %s for the group %s: %s", config->uplink_socket,
			 config->uplink_group, strerror(-ret));
		return ret;
	}
	return 0;
}

static int listen_for_ecus(struct ingest *ingest, const struct config *config,
			   const struct tls_pair *tls, char *err, size_t size)
{
	char socket[CONFIG_TEXT_SIZE + 8];
	struct http_config http = {
		.address = config->listen,
		.port = (uint16_t)config->uplink_port,
		.tls = tls,
		.ask_client_cert = true,
		.route = routes,
		.route_count = ARRAY_SIZE(routes),
		.ctx = ingest,
		.connections_max = (unsigned int)config->uplink_connections,
	};
	int ret = allow_files((rlim_t)config->uplink_connections + OTHER_FILES);

	if (ret < 0) {
		snprintf(err, size,
			 "uplink_connections: expected a limit of files above %" PRId64 ": %s",
			 config->uplink_connections + OTHER_FILES, strerror(-ret));
		return ret;
	}
	if (config->uplink_socket[0]) {
		snprintf(socket, sizeof(socket), "unix:%s", config->uplink_socket);
		http.address = socket;
		http.tls = NULL;
		http.key_header = CERTIFICATE_HEADER;
	}
	ret = http_start(&ingest->server, &http, err, size);
	return ret == 0 && config->uplink_socket[0] ? share_socket(config, err, size) : ret;
}

static int read_job_key(struct ingest *ingest, char *err, size_t size)
{
	uint8_t public[JOB_PUBLIC_BYTES], secret[JOB_SECRET_BYTES];
	int ret = vault_job_keys(ingest->store->vault, public, secret);

	sodium_memzero(secret, sizeof(secret));
	if (ret < 0) {
		snprintf(err, size, "keys.db: the key of jobs: %s", strerror(-ret));
		return ret;
	}
	sodium_bin2hex(ingest->job_key, sizeof(ingest->job_key), public, sizeof(public));
	return 0;
}

int ingest_start(struct ingest **ret_ingest, const struct config *config, struct store *store,
		 struct bus *bus, const struct tls_pair *tls, void (*stored)(void *ctx), void *ctx,
		 char *err, size_t size)
{
	struct ingest *ingest = calloc(1, sizeof(*ingest));
	pthread_condattr_t attributes;
	int ret;

	if (!ingest) {
		return -ENOMEM;
	}
	ingest->store = store;
	ingest->bus = bus;
	ingest->batches = bus ? calloc((size_t)INGEST_GROUP_MAX * INGEST_BATCHES_MAX,
				       sizeof(*ingest->batches))
			      : NULL;
	ingest->stored = stored;
	ingest->ctx = ctx;
	for (enum queue queue = 0; queue < QUEUES; queue++) {
		ingest->queue[queue].end = &ingest->queue[queue].first;
	}
	pthread_mutex_init(&ingest->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&ingest->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	ret = bus && !ingest->batches ? -ENOMEM : read_job_key(ingest, err, size);
	ret = ret < 0 ? ret : listen_for_ecus(ingest, config, tls, err, size);
	if (ret == 0) {
		ret = thread_start(&ingest->thread, "ingest", run, ingest);
		ingest->running = ret == 0;
	}
	if (ret < 0) {
		ingest_stop(ingest);
		return ret;
	}
	*ret_ingest = ingest;
	return 0;
}

void ingest_stop(struct ingest *ingest)
{
	if (!ingest) {
		return;
	}
	pthread_mutex_lock(&ingest->lock);
	ingest->stopping = true;
	pthread_cond_signal(&ingest->wake);
	pthread_mutex_unlock(&ingest->lock);
	if (ingest->running) {
		pthread_join(ingest->thread, NULL);
	}
	http_stop(ingest->server);
	pthread_cond_destroy(&ingest->wake);
	pthread_mutex_destroy(&ingest->lock);
	free(ingest->batches);
	free(ingest);
}

void ingest_wake(struct ingest *ingest)
{
	pthread_mutex_lock(&ingest->lock);
	ingest->new_order = true;
	pthread_cond_signal(&ingest->wake);
	pthread_mutex_unlock(&ingest->lock);
}

struct http_server *ingest_server(const struct ingest *ingest)
{
	return ingest->server;
}

uint16_t ingest_port(const struct ingest *ingest)
{
	return http_port(ingest->server);
}
