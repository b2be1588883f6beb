// SPDX-License-Identifier: GPL-2.0-or-later
/* emad: the monitoring service. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
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
#define STREAM_TICK_MS 1000

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

/**
 * struct app - everything of the process
 * @parts: which of the parts this process is
 * @bus: NULL without NATS
 * @web_store: the same with the rights of the web interface
 * @run: of batches that are stored from the bus, the last one: its ECU is 0 for none
 * @lock, @wake, @more: the deriving thread waits for batches
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
	pthread_t derive;
	pthread_t watch;
	pthread_t take;
	pthread_t stream;
	struct batch_head run;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool more;
	bool stopping;
};

static struct app app = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void on_stored(void *ctx)
{
	struct app *own = ctx;

	pthread_mutex_lock(&own->lock);
	own->more = true;
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

/* Waits for up to @ms; whether the service goes on. */
static bool wait_for(struct app *own, int64_t ms, bool until_more)
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
	while (!own->stopping && !(until_more && own->more) && ret != ETIMEDOUT) {
		ret = pthread_cond_timedwait(&own->wake, &own->lock, &until);
	}
	if (until_more) {
		own->more = false;
	}
	stopping = own->stopping;
	pthread_mutex_unlock(&own->lock);
	return !stopping;
}

static void *run_derive(void *ctx)
{
	struct app *own = ctx;

	do {
		struct sql *sql = store_sql(&own->store);
		int ret = sql ? 1 : -ENOTCONN;

		while (ret > 0 && !own->stopping) {
			ret = derive_next(&own->store, sql, DERIVE_GROUP, on_changed, own);
		}
		if (ret < 0 && sql) {
			log_err("derive: %s", sql_error(sql));
		}
	} while (wait_for(own, 1000, true));
	return NULL;
}

/* ---- from the bus to the log ---- */

static int begin_group(void *ctx)
{
	struct app *own = ctx;
	struct sql *sql = store_sql(&own->store);

	own->run.ecu = 0;
	return sql ? sql_begin_locked(sql, SQL_LOCK_LOG) : -ENOTCONN;
}

/* Batches of one ECU come in a row: advance stored_through once for all of them. */
static int end_run(struct app *own)
{
	int64_t through =
		own->run.ecu ? store_advance(store_sql(&own->store), own->run.ecu, own->run.epoch)
			     : 0;

	return through < 0 ? (int)through : 0;
}

static int take_batch(void *ctx, const struct bus_batch *batch)
{
	struct app *own = ctx;
	struct batch_head head;
	char err[200];
	size_t n;
	int ret = batch_read_head(batch->bytes, batch->n, &head, &n, err, sizeof(err));

	if (ret < 0) {
		/* Ingest has checked it: only a foreign client of the bus can have put it there. */
		log_err("bus: %s", err);
		return 0;
	}
	if (head.ecu != own->run.ecu || head.epoch != own->run.epoch) {
		ret = end_run(own);
		own->run = head;
	}
	ret = ret < 0 ? ret
		      : store_batch(&own->store, store_sql(&own->store), &batch->ecu, &head,
				    batch->bytes, n, batch->shift_s, batch->received_ms);
	return ret < 0 ? ret : 0;
}

static int commit_group(void *ctx)
{
	struct app *own = ctx;
	int ret = end_run(own);

	return ret < 0 ? ret : sql_commit(store_sql(&own->store));
}

static void abandon_group(void *ctx)
{
	struct app *own = ctx;
	struct sql *sql = store_sql(&own->store);

	if (sql) {
		log_err("store: %s", sql_error(sql));
		sql_rollback(sql);
	}
}

static void *run_take(void *ctx)
{
	struct app *own = ctx;

	while (!own->stopping) {
		int ret = bus_take(own->bus, TAKE_GROUP, begin_group, take_batch, commit_group,
				   abandon_group, own);

		if (ret > 0) {
			on_stored(own);
		} else if (ret < 0) {
			wait_for(own, 1000, false);
		}
	}
	return NULL;
}

/* Site time between two runs does not depend on the clock's rate: a fast site is watched as
 * often as a slow one. */
static void *run_watch(void *ctx)
{
	struct app *own = ctx;
	int64_t compacted_ms = 0;
	int64_t site = 0;

	while (wait_for(own, (int64_t)(WATCH_MS / (clock_rate() > 1 ? clock_rate() : 1)) + 200,
			false)) {
		struct sql *sql = store_sql(&own->store);
		int64_t now_ms = clock_wall_ms();
		int ret = sql ? orders_expire(sql, now_ms) : -ENOTCONN;

		if (ret == 0) {
			ret = alarms_run_some(&own->store, sql, now_ms, &site, &own->stopping,
					      on_changed, own);
		}
		if (ret == 0) {
			ret = notify_run(&own->config, sql, now_ms, &own->stopping);
		}
		if (ret >= 0 && !own->stopping && now_ms - compacted_ms > COMPACT_MS) {
			ret = derive_compact(&own->store, sql, now_ms, &own->stopping);
			ret = ret < 0 ? ret : partitions_keep(sql, now_ms, own->config.keep_days);
			ret = ret < 0 ? ret
				      : retention_apply(&own->config, sql, own->audit, now_ms,
							NULL);
			compacted_ms = now_ms;
		}
		if (ret < 0 && sql) {
			log_err("watch: %s", sql_error(sql));
		}
	}
	return NULL;
}

static void *run_stream(void *ctx)
{
	while (wait_for(ctx, STREAM_TICK_MS, false)) {
		api_stream_tick();
	}
	return NULL;
}

/* ---- start ---- */

static const char *path_in_state(char *path, const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", app.config.state, name);
	return path;
}

/* Before anything is stored: the service may have been off for days. */
static int make_partitions(char *err, size_t size)
{
	struct sql *sql = store_sql(&app.store);
	int ret = partitions_keep(sql, clock_wall_ms(), app.config.keep_days);

	if (ret < 0) {
		snprintf(err, size, "database: %s", sql_error(sql));
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
	path_in_state(data, "data.db");
	ret = ret < 0 ? ret
		      : store_open(&app.store, app.config.database[0] ? app.config.database : data,
				   path_in_state(path, "keys.db"), err, size);
	return ret < 0 ? ret : make_partitions(err, size);
}

static int start_servers(char *err, size_t size)
{
	const char *san[] = { app.config.host, "localhost", "127.0.0.1", NULL };
	uint8_t hash[TLS_HASH_SIZE];
	char path[PATH_MAX];
	int ret = tls_server_pair(path_in_state(path, "tls"), "ema", san, clock_wall_ms(), &app.tls,
				  err, size);

	if (ret == 0) {
		ret = tls_cert_hash(app.tls.cert, hash);
	}
	if (ret == 0 && app.config.nats[0]) {
		ret = bus_open(&app.bus, app.config.nats, err, size);
	}
	if (ret == 0 && (app.parts & PART_INGEST)) {
		ret = ingest_start(&app.ingest, &app.config, &app.store, app.bus, &app.tls,
				   on_stored, &app, err, size);
	}
	if (ret < 0 || !(app.parts & PART_WEB)) {
		return ret;
	}
	app.web_store = app.store;
	if (app.config.web_database[0]) {
		app.web_store.where = app.config.web_database;
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

/* Threads of the parts. Columns of the table: parts that need it, name, function, where. */
static int start_threads(void)
{
	const struct {
		bool needed;
		const char *name;
		void *(*run)(void *ctx);
		pthread_t *thread;
	} threads[] = {
		{ app.parts & PART_STORE, "derive", run_derive, &app.derive },
		{ (app.parts & PART_STORE) && app.bus, "take", run_take, &app.take },
		{ app.parts & PART_WATCH, "watch", run_watch, &app.watch },
		{ app.parts & PART_WEB, "stream", run_stream, &app.stream },
	};
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(threads) && ret == 0; i++) {
		if (threads[i].needed) {
			ret = thread_start(threads[i].thread, threads[i].name, threads[i].run,
					   &app);
		}
	}
	return ret;
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
	join(app.derive);
	join(app.take);
	join(app.watch);
	join(app.stream);
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

static int run_command(const struct arguments *arguments)
{
	struct sql *sql = store_sql(&app.store);
	int ret = 0;

	if (arguments->rebuild) {
		ret = derive_rebuild(&app.store, sql);
		/* The log of compacted batches may still hold data that their class no longer
		 * keeps. */
		ret = ret < 0 ? ret
			      : retention_apply(&app.config, sql, app.audit, clock_wall_ms(), NULL);
	}
	if (ret == 0 && arguments->compact) {
		ret = derive_compact(&app.store, sql, clock_wall_ms(), &app.stopping);
		if (ret >= 0) {
			printf("%d batches compacted\n", ret);
			ret = partitions_keep(sql, clock_wall_ms(), app.config.keep_days);
		}
		ret = ret < 0 ? ret
			      : retention_apply(&app.config, sql, app.audit, clock_wall_ms(),
						show_class);
	}
	if (ret == 0 && arguments->hashes) {
		ret = derive_hashes(sql, stdout);
	}
	if (ret < 0) {
		fprintf(stderr, "emad: %s\n", sql_error(sql));
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
