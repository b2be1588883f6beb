// SPDX-License-Identifier: GPL-2.0-or-later
/* emad: the monitoring service. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <curl/curl.h>
#include <sodium.h>
#include <systemd/sd-daemon.h>

#include "alarms.h"
#include "api.h"
#include "audit.h"
#include "bus.h"
#include "db.h"
#include "derive.h"
#include "ingest.h"
#include "log.h"
#include "notify.h"
#include "options.h"
#include "orders.h"
#include "partitions.h"
#include "retention.h"
#include "service_clock.h"
#include "thread.h"
#include "version.h"

#define DERIVE_GROUP 200
#define TAKE_GROUP 256
#define WATCH_MS 5000
#define COMPACT_MS 3600000
#define TICK_MS 1000
/* Larger blocks go back to the system as soon as they are freed. Each arena keeps what its threads
 * have freed; eight a processor are the default. */
#define MMAP_BYTES (64 * 1024)
#define ARENAS 2
/* The certificate is looked at this often: it is renewed 30 days before its end. */
#define RENEW_US UINT64_C(3600000000)

struct arguments {
	struct options common;
	const char *state;
	bool setup;
	bool rebuild;
	bool hashes;
	bool compact;
};

/* Parts of the service, as bits. Columns: identifier, bit, name. */
#define PARTS(X)                                                                                   \
	X(INGEST, 1, "ingest")                                                                     \
	X(STORE, 2, "store")                                                                       \
	X(WATCH, 4, "watch")                                                                       \
	X(WEB, 8, "web")                                                                           \
	X(ALL, 15, "all")

enum part {
#define X(id, bit, name) PART_##id = bit,
	PARTS(X)
#undef X
};

static const struct {
	const char *name;
	enum part part;
} part_names[] = {
#define X(id, bit, name) { name, PART_##id },
	PARTS(X)
#undef X
};

struct app;

/**
 * struct shard - what this process does for one shard
 * @run: of batches that are stored from the bus, the last one: its ECU is 0 for none
 * @watched: the last site that was looked at
 * @kept_ms: when old data were last compacted and deleted
 */
struct shard {
	struct app *app;
	int number;
	pthread_t derive;
	pthread_t take;
	struct batch_head run;
	int64_t watched;
	int64_t kept_ms;
};

/**
 * struct app - everything of the process
 * @parts: which of the parts this process is
 * @bus: NULL without NATS
 * @web_store: the same with the rights of the web interface
 * @lock, @wake, @stored: the deriving threads wait for batches; @stored counts groups of them
 */
struct app {
	struct config config;
	struct store store;
	struct store web_store;
	struct api api;
	struct http_server *web;
	struct ingest *ingest;
	struct bus *bus;
	enum part parts;
	sqlite3 *control;
	sqlite3 *audit;
	struct tls_pair tls;
	struct shard shard[STORE_SHARDS_MAX];
	pthread_t watch;
	pthread_t tick;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	uint64_t stored;
	bool stopping;
};

static struct app app = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void on_stored(void *ctx)
{
	struct app *own = ctx;

	pthread_mutex_lock(&own->lock);
	own->stored++;
	pthread_cond_broadcast(&own->wake);
	pthread_mutex_unlock(&own->lock);
}

static void on_changed(void *ctx, int64_t site)
{
	struct app *own = ctx;

	if (own->api.server) {
		api_site_changed(&own->api, site);
	} else if (own->bus) {
		bus_site_changed(own->bus, site);
	}
}

/* Waits for up to @ms, or until more than *@stored groups are stored; whether the service goes on.
 */
static bool wait_for(struct app *own, int64_t ms, uint64_t *stored)
{
	struct timespec until;
	bool stopping;
	int ret = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&own->lock);
	while (!own->stopping && !(stored && own->stored != *stored) && ret != ETIMEDOUT) {
		ret = pthread_cond_timedwait(&own->wake, &own->lock, &until);
	}
	if (stored) {
		*stored = own->stored;
	}
	stopping = own->stopping;
	pthread_mutex_unlock(&own->lock);
	return !stopping;
}

static void *run_derive(void *ctx)
{
	struct shard *shard = ctx;
	struct app *own = shard->app;
	uint64_t stored = 0;

	do {
		struct sql *sql = store_shard(&own->store, shard->number);
		int ret = sql ? 1 : -ENOTCONN;

		while (ret > 0 && !own->stopping) {
			ret = derive_next(&own->store, sql, DERIVE_GROUP, on_changed, own);
		}
		if (ret < 0 && sql) {
			log_err("derive: %s", sql_error(sql));
		}
	} while (wait_for(own, 1000, &stored));
	return NULL;
}

/* ---- from the bus to the log ---- */

static int begin_group(void *ctx)
{
	struct shard *shard = ctx;
	struct sql *sql = store_shard(&shard->app->store, shard->number);

	shard->run.ecu = 0;
	return sql ? sql_begin_locked(sql, SQL_LOCK_LOG) : -ENOTCONN;
}

/* Batches of one ECU come in a row: advance stored_through once for all of them. */
static int end_run(struct shard *shard, struct sql *sql)
{
	int64_t through = shard->run.ecu ? store_advance(sql, shard->run.ecu, shard->run.epoch) : 0;

	return through < 0 ? (int)through : 0;
}

/* The site has moved since ingest has received the batch, or was deleted. */
static int forward_batch(struct shard *shard, const struct bus_batch *batch)
{
	struct bus_batch moved = *batch;
	int ret = store_find_site(&shard->app->store, batch->ecu.site, &moved.shard);

	if (ret == -ENOENT) {
		log_notice("a batch of the deleted site %" PRId64 " is dropped", batch->ecu.site);
		return 0;
	}
	return ret < 0 ? ret : bus_forward(shard->app->bus, &moved);
}

static int take_batch(void *ctx, const struct bus_batch *batch)
{
	struct shard *shard = ctx;
	struct store *store = &shard->app->store;
	struct sql *sql = store_shard(store, shard->number);
	struct batch_head head;
	char err[200];
	size_t n;
	int ret = batch_read_head(batch->bytes, batch->n, &head, &n, err, sizeof(err));

	if (ret < 0) {
		/* Ingest has checked it: only a foreign client of the bus can have put it there. */
		log_err("bus: %s", err);
		return 0;
	}
	ret = store->shards > 1 ? store_has_site(sql, batch->ecu.site) : 1;
	if (ret <= 0) {
		return ret < 0 ? ret : forward_batch(shard, batch);
	}
	ret = 0;
	if (head.ecu != shard->run.ecu || head.epoch != shard->run.epoch) {
		ret = end_run(shard, sql);
		shard->run = head;
	}
	ret = ret < 0 ? ret
		      : store_batch(store, sql, &batch->ecu, &head, batch->bytes, n, batch->shift_s,
				    batch->received_ms);
	return ret < 0 ? ret : 0;
}

static int commit_group(void *ctx)
{
	struct shard *shard = ctx;
	struct sql *sql = store_shard(&shard->app->store, shard->number);
	int ret = end_run(shard, sql);

	return ret < 0 ? ret : sql_commit(sql);
}

static void abandon_group(void *ctx)
{
	struct shard *shard = ctx;
	struct sql *sql = store_shard(&shard->app->store, shard->number);

	if (sql) {
		log_err("store: %s", sql_error(sql));
		sql_rollback(sql);
	}
}

static void *run_take(void *ctx)
{
	struct shard *shard = ctx;
	struct app *own = shard->app;

	while (!own->stopping) {
		int ret = bus_take(own->bus, shard->number, TAKE_GROUP, begin_group, take_batch,
				   commit_group, abandon_group, shard);

		if (ret > 0) {
			on_stored(own);
		} else if (ret < 0) {
			wait_for(own, 1000, NULL);
		}
	}
	return NULL;
}

/* ---- watch ---- */

/* Compaction, partitions and retention. Return: batches compacted, or a negative errno. */
static int keep_shard(struct app *own, struct sql *sql, int64_t now_ms,
		      void (*show)(const char *name, int64_t rows))
{
	int count = derive_compact(&own->store, sql, now_ms, &own->stopping);
	int ret = count < 0 ? count : partitions_keep(sql, now_ms, own->config.keep_days);

	ret = ret < 0 ? ret : retention_apply(&own->config, sql, own->audit, now_ms, show);
	ret = ret < 0 ? ret : store_forget_jobs(sql, now_ms);
	return ret < 0 ? ret : count;
}

/* Rules and notifications of shard 0, when it answers. */
static int copy_rules(struct app *own, struct sql *sql)
{
	struct sql *first = sql_shard(sql) ? store_shard(&own->store, 0) : NULL;

	return first ? store_copy_rules(first, sql) : 0;
}

static void watch_shard(struct app *own, struct shard *shard)
{
	struct sql *sql = store_shard(&own->store, shard->number);
	int64_t now_ms = clock_wall_ms();
	bool keep = now_ms - shard->kept_ms > COMPACT_MS;
	int ret = sql ? orders_expire(sql, now_ms) : 0;

	if (!sql) {
		return;
	}
	ret = ret == 0 && keep ? copy_rules(own, sql) : ret;
	if (ret == 0) {
		ret = alarms_run_some(&own->store, sql, now_ms, &shard->watched, &own->stopping,
				      on_changed, own);
	}
	if (ret == 0) {
		ret = notify_run(&own->config, sql, now_ms, &own->stopping);
	}
	if (ret >= 0 && !own->stopping && keep) {
		ret = keep_shard(own, sql, now_ms, NULL);
		shard->kept_ms = now_ms;
	}
	if (ret < 0) {
		log_err("watch: %s", sql_error(sql));
	}
}

/* Site time between two runs does not depend on the clock's rate: a fast site is watched as
 * often as a slow one. */
static void *run_watch(void *ctx)
{
	struct app *own = ctx;

	while (wait_for(own, (int64_t)(WATCH_MS / (clock_rate() > 1 ? clock_rate() : 1)) + 200,
			NULL)) {
		for (int i = 0; i < own->store.shards && !own->stopping; i++) {
			watch_shard(own, &own->shard[i]);
		}
	}
	return NULL;
}

static const char *path_in_state(char *path, const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", app.config.state, name);
	return path;
}

/* Also makes or renews what is missing. */
static int load_tls(struct tls_pair *ret_pair, char *err, size_t size)
{
	const char *san[] = { app.config.host, "localhost", "127.0.0.1", NULL };
	char path[PATH_MAX];

	return tls_server_pair(path_in_state(path, "tls"), "ema", san, clock_wall_ms(), ret_pair,
			       err, size);
}

/* A certificate that ends is replaced while its servers run. */
static void renew_tls(struct app *own)
{
	struct http_server *const servers[] = { own->web,
						own->ingest ? ingest_server(own->ingest) : NULL };
	struct tls_pair pair;
	char err[512];
	int ret = load_tls(&pair, err, sizeof(err));

	if (ret == 0) {
		ret = http_renew_tls(servers, ARRAY_SIZE(servers), &own->tls, &pair);
		snprintf(err, sizeof(err), "%s", strerror(-ret));
	}
	if (ret < 0) {
		log_err("certificate not renewed: %s", err);
	}
}

static void *run_tick(void *ctx)
{
	struct app *own = ctx;
	uint64_t renew_us = clock_monotonic_us() + RENEW_US;

	while (wait_for(own, TICK_MS, NULL)) {
		api_stream_tick();
		if (clock_monotonic_us() >= renew_us) {
			renew_us = clock_monotonic_us() + RENEW_US;
			renew_tls(own);
		}
	}
	return NULL;
}

/* ---- start ---- */

/* Before anything is stored: the service may have been off for days. */
static int make_partitions(char *err, size_t size)
{
	int ret = 0;

	for (int i = 0; i < app.store.shards && ret == 0; i++) {
		struct sql *sql = store_shard(&app.store, i);

		ret = sql ? partitions_keep(sql, clock_wall_ms(), app.config.keep_days) : 0;
		if (ret < 0) {
			snprintf(err, size, "database: %s", sql_error(sql));
		}
	}
	return ret;
}

static int open_stores(char *err, size_t size)
{
	char path[PATH_MAX];
	static char data[PATH_MAX];
	int ret;

	if ((mkdir(app.config.state, 0700) < 0 && errno != EEXIST) ||
	    (mkdir(path_in_state(path, "tls"), 0700) < 0 && errno != EEXIST)) {
		snprintf(err, size, "%s: %s", app.config.state, strerror(errno));
		return -errno;
	}
	ret = db_open(&app.control, path_in_state(path, "control.db"), DB_SAFE, err, size);
	ret = ret < 0 ? ret : db_open(&app.audit, path, DB_SAFE, err, size);
	ret = ret < 0 ? ret : audit_migrate(app.audit, err, size);
	ret = ret < 0 ? ret : auth_open(&app.api.auth, app.control, err, size);
	config_shards(&app.config.database, path_in_state(data, "data.db"), &app.store);
	ret = ret < 0 ? ret : store_open(&app.store, path_in_state(path, "keys.db"), err, size);
	return ret < 0 ? ret : make_partitions(err, size);
}

static int start_servers(char *err, size_t size)
{
	uint8_t hash[TLS_HASH_SIZE];
	int ret = load_tls(&app.tls, err, size);

	if (ret == 0) {
		ret = tls_cert_hash(app.tls.cert, hash);
	}
	if (ret == 0 && app.config.nats[0]) {
		ret = bus_open(&app.bus, app.config.nats, app.store.shards, err, size);
	}
	if (ret == 0 && (app.parts & PART_INGEST)) {
		ret = ingest_start(&app.ingest, &app.config, &app.store, app.bus, &app.tls,
				   on_stored, &app, err, size);
	}
	if (ret < 0 || !(app.parts & PART_WEB)) {
		return ret;
	}
	app.web_store = app.store;
	if (app.config.web_database.n) {
		config_shards(&app.config.web_database, NULL, &app.web_store);
		/* This role may not change tables. */
		app.web_store.prepared = ~0u;
	}
	app.api.store = &app.web_store;
	app.api.config = &app.config;
	app.api.control = app.audit;
	app.api.ingest = app.ingest;
	tls_hash_hex(hash, app.api.key_hash);
	snprintf(app.api.uplink, sizeof(app.api.uplink), "https://%s:%u", app.config.host,
		 app.ingest && ingest_port(app.ingest) ? ingest_port(app.ingest)
						       : (unsigned int)app.config.uplink_port);
	ret = api_start(&app.web, &app.api, &app.tls, err, size);
	/* Other parts change sites in their own processes. */
	return ret == 0 && app.bus ? bus_follow_sites(app.bus, on_changed, &app) : ret;
}

/* Threads of the parts; those of a shard are as many as there are shards. */
static int start_threads(void)
{
	int ret = 0;

	for (int i = 0; i < app.store.shards && ret == 0; i++) {
		struct shard *shard = &app.shard[i];

		*shard = (struct shard){ .app = &app, .number = i };
		if (app.parts & PART_STORE) {
			ret = thread_start(&shard->derive, "derive", run_derive, shard);
		}
		if (ret == 0 && (app.parts & PART_STORE) && app.bus) {
			ret = thread_start(&shard->take, "take", run_take, shard);
		}
	}
	if (ret == 0 && (app.parts & PART_WATCH)) {
		ret = thread_start(&app.watch, "watch", run_watch, &app);
	}
	return ret == 0 ? thread_start(&app.tick, "tick", run_tick, &app) : ret;
}

static void join(pthread_t thread)
{
	if (thread) {
		pthread_join(thread, NULL);
	}
}

static void stop(void)
{
	pthread_mutex_lock(&app.lock);
	app.stopping = true;
	pthread_cond_broadcast(&app.wake);
	pthread_mutex_unlock(&app.lock);
	for (int i = 0; i < app.store.shards; i++) {
		join(app.shard[i].derive);
		join(app.shard[i].take);
	}
	join(app.watch);
	join(app.tick);
	http_stop(app.web);
	ingest_stop(app.ingest);
	bus_close(app.bus);
	api_stream_end();
}

static void close_stores(void)
{
	store_close(&app.store);
	auth_close(app.api.auth);
	db_close(app.control);
	db_close(app.audit);
	tls_pair_free(&app.tls);
}

static int serve(void)
{
	char err[512] = "";
	sigset_t signals;
	int signal;
	int ret;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	ret = start_servers(err, sizeof(err));
	if (ret == 0) {
		ret = start_threads();
	}
	if (ret < 0) {
		log_err("%s", err[0] ? err : strerror(-ret));
		return 1;
	}
	if (app.web) {
		log_notice("pages on %s:%u", app.config.listen, http_port(app.web));
	}
	if (app.ingest && app.config.uplink_socket[0]) {
		log_notice("listening for nginx on %s", app.config.uplink_socket);
	} else if (app.ingest) {
		log_notice("ECUs on %s:%u", app.config.listen, ingest_port(app.ingest));
	}
	log_notice("ready");
	sd_notify(0, "READY=1");
	sigwait(&signals, &signal);
	sd_notify(0, "STOPPING=1");
	stop();
	return 0;
}

/* ---- commands that do not serve ---- */

static int print_code(void)
{
	char code[AUTH_CODE_SIZE];
	int ret = auth_code(app.api.auth, code);

	if (ret < 0) {
		fprintf(stderr, "emad: %s\n",
			ret == -ENOENT ? "the service is set up already" : strerror(-ret));
		return 1;
	}
	printf("%s\n", code);
	return 0;
}

static void show_class(const char *name, int64_t rows)
{
	printf("%s: %" PRId64 " expired rows deleted\n", name, rows);
}

/* Return: 0 or a negative errno. */
static int run_shard_command(const struct arguments *arguments, struct sql *sql)
{
	int64_t now_ms = clock_wall_ms();
	int ret = 0;

	if (arguments->rebuild) {
		ret = derive_rebuild(&app.store, sql);
		/* The log of compacted batches may still hold data that their class no longer
		 * keeps. */
		ret = ret < 0 ? ret : retention_apply(&app.config, sql, app.audit, now_ms, NULL);
	}
	if (ret == 0 && arguments->compact) {
		ret = keep_shard(&app, sql, now_ms, show_class);
		if (ret >= 0) {
			printf("%d batches compacted\n", ret);
		}
	}
	return ret < 0 ? ret : 0;
}

static int run_command(const struct arguments *arguments)
{
	for (int i = 0; i < app.store.shards; i++) {
		struct sql *sql = store_shard(&app.store, i);

		if (!sql || run_shard_command(arguments, sql) < 0) {
			fprintf(stderr, "emad: shard %d: %s\n", i,
				sql ? sql_error(sql) : "the database does not answer");
			return 1;
		}
	}
	if (arguments->hashes && derive_hashes(&app.store, stdout) < 0) {
		fprintf(stderr, "emad: the derived tables cannot be read\n");
		return 1;
	}
	return 0;
}

static const struct argp_option options[] = {
	OPTIONS_CONFIG(CONFIG_FILE),
	{ "state", 's', "FOLDER", 0,
	  "state folder, $STATE_DIRECTORY or " CONFIG_STATE " unless given", 0 },
	OPTIONS_CHECK,
	{ "setup", 'S', NULL, 0, "print the first-use code and exit", 0 },
	{ "rebuild", 'R', NULL, 0, "build the derived tables again from the log and exit", 0 },
	{ "compact", 'K', NULL, 0, "compact old batches, delete expired data, and exit", 0 },
	{ "hashes", 'H', NULL, 0, "print a hash of each derived table and exit", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 's':
		arguments->state = value;
		return 0;
	case 'S':
		arguments->setup = true;
		return 0;
	case 'R':
		arguments->rebuild = true;
		return 0;
	case 'K':
		arguments->compact = true;
		return 0;
	case 'H':
		arguments->hashes = true;
		return 0;
	default:
		return options_take(key, value, state, &arguments->common);
	}
}

static int load(int argc, char **argv, struct arguments *arguments)
{
	static const struct argp argp = { .options = options,
					  .parser = parse,
					  .doc = "The monitoring service of qs1 sites." };
	char err[PATH_MAX + 200];

	argp_err_exit_status = EXIT_CONFIG;
	argp_program_version_hook = version_print;
	argp_parse(&argp, argc, argv, 0, NULL, arguments);
	log_init("emad", LOG_INFO);
	if (clock_setup() < 0) {
		return EXIT_CONFIG;
	}
	if (config_load(arguments->common.config, &app.config, err, sizeof(err)) < 0) {
		log_err("%s", err);
		return EXIT_CONFIG;
	}
	for (size_t i = 0; i < ARRAY_SIZE(part_names); i++) {
		if (strcmp(part_names[i].name, app.config.part) == 0) {
			app.parts = part_names[i].part;
		}
	}
	if (!app.parts) {
		log_err("part: expected all, ingest, store, watch or web, found '%s'",
			app.config.part);
		return EXIT_CONFIG;
	}
	if (!arguments->state) {
		arguments->state = getenv("STATE_DIRECTORY");
	}
	snprintf(app.config.state, sizeof(app.config.state), "%s",
		 arguments->state ? arguments->state : CONFIG_STATE);
	return 0;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	pthread_condattr_t monotonic;
	char err[PATH_MAX + 200];
	int ret = load(argc, argv, &arguments);

	if (ret || arguments.common.check) {
		return ret;
	}
	mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
	mallopt(M_ARENA_MAX, ARENAS);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&app.wake, &monotonic);
	if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT)) {
		log_err("libraries do not start");
		return 1;
	}
	if (open_stores(err, sizeof(err)) < 0) {
		log_err("%s", err);
		return 1;
	}
	if (arguments.setup) {
		ret = print_code();
	} else if (arguments.rebuild || arguments.compact || arguments.hashes) {
		ret = run_command(&arguments);
	} else {
		ret = serve();
	}
	close_stores();
	return ret;
}
