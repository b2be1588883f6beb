// SPDX-License-Identifier: GPL-2.0-or-later
/* emactl: the operator's tool of the monitoring service. It works on the state folder. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "auth.h"
#include "config.h"
#include "db.h"
#include "derive.h"
#include "log.h"
#include "move.h"
#include "options.h"
#include "service_clock.h"
#include "sql.h"
#include "store.h"
#include "version.h"
#include "writer.h"

#define ARGUMENTS_MAX 3

/**
 * struct context - what the commands work on
 */
struct context {
	struct config config;
	struct options common;
	enum writer_format format;
	char *argument[ARGUMENTS_MAX + 1];
	int arguments;
	struct store store;
	sqlite3 *control;
	struct auth *auth;
};

static int fail(const char *format, ...) __printf(1, 2);

static int fail(const char *format, ...)
{
	va_list arguments;

	fputs("emactl: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return 1;
}

static const char *path_in_state(const struct context *context, const char *name, char *path)
{
	snprintf(path, PATH_MAX, "%s/%s", context->config.state, name);
	return path;
}

static int open_all(struct context *context)
{
	static char data[PATH_MAX];
	char path[PATH_MAX];
	char err[PATH_MAX + 200];
	int ret = db_open(&context->control, path_in_state(context, "control.db", path), DB_SAFE,
			  err, sizeof(err));

	config_shards(&context->config.database, path_in_state(context, "data.db", data),
		      &context->store);
	ret = ret < 0 ? ret : auth_open(&context->auth, context->control, err, sizeof(err));
	ret = ret < 0 ? ret
		      : store_open(&context->store, path_in_state(context, "keys.db", path), err,
				   sizeof(err));
	return ret < 0 ? fail("%s", err) : 0;
}

/* ---- status ---- */

/* Columns: name in JSON, words, query, unit. */
static const struct {
	const char *name;
	const char *label;
	const char *text;
	const char *unit;
} counts[] = {
	{ "sites", "sites", "SELECT COUNT(*) FROM sites", "" },
	{ "ecus", "ECUs enrolled",
	  "SELECT COUNT(*) FROM ecus WHERE key_hash IS NOT NULL AND revoked = 0", "" },
	{ "units", "inverters", "SELECT COUNT(*) FROM units", "" },
	{ "batches", "batches not compacted", "SELECT COUNT(*) FROM batches", "" },
	{ "conflicts", "contradictory batches", "SELECT COUNT(*) FROM conflicts", "" },
	{ "reports", "reports", "SELECT CAST(COALESCE(SUM(reports), 0) AS BIGINT) FROM unit_days",
	  "" },
	{ "day_bytes", "size of day blobs",
	  "SELECT CAST(COALESCE(SUM(LENGTH(content) + LENGTH(quarters)), 0) AS BIGINT) FROM unit_days",
	  "B" },
	{ "alarms", "alarms",
	  "SELECT COUNT(*) FROM alarms WHERE begin_ms IS NOT NULL AND end_ms IS NULL", "" },
	{ "messages", "messages that wait", "SELECT COUNT(*) FROM outbox WHERE done_ms IS NULL",
	  "" },
	{ "orders", "orders under way",
	  "SELECT COUNT(*) FROM orders WHERE state IN ('queued', 'sent')", "" },
};

static void write_count(struct writer *writer, const char *name, const char *label, int64_t value,
			const char *unit)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	writer_number(writer, name, label, value < 0 ? NULL : text, unit);
}

/* The sum over all shards; -1 when one does not answer. */
static int64_t sum_shards(struct store *store, const char *text)
{
	int64_t sum = 0;

	for (int i = 0; i < store->shards; i++) {
		struct sql *sql = store_shard(store, i);
		int64_t value;

		if (!sql || sql_one(sql, &value, 0, text, "") < 0) {
			return -1;
		}
		sum += value;
	}
	return sum;
}

static int64_t sum_waiting(struct store *store)
{
	int64_t sum = 0;

	for (int i = 0; i < store->shards; i++) {
		struct sql *sql = store_shard(store, i);
		int64_t waiting = sql ? derive_waiting(sql, 0) : -ENOTCONN;

		if (waiting < 0) {
			return -1;
		}
		sum += waiting;
	}
	return sum;
}

static void write_shards(struct writer *writer, struct store *store)
{
	writer_array(writer, "shards", "", WRITER_LINES);
	for (int i = 0; i < store->shards; i++) {
		struct sql *sql = store_shard(store, i);
		int64_t sites = -1;

		if (sql && sql_one(sql, &sites, 0, "SELECT COUNT(*) FROM sites WHERE arriving = 0",
				   "") < 0) {
			sites = -1;
		}
		writer_object(writer, NULL, "", WRITER_ROW);
		write_count(writer, "shard", "shard", i, "");
		writer_string(writer, "state", "", sites < 0 ? "does not answer" : "answers");
		write_count(writer, "sites", "sites", sites, "");
		writer_end(writer);
	}
	writer_end(writer);
}

static int run_status(struct context *context)
{
	struct writer *writer = writer_new(context->format, stdout);
	struct sql *first = store_shard(&context->store, 0);
	bool failed = false;
	int64_t value = -1;

	/* Other shards have copies of the tenants of their sites. */
	if (!first || sql_one(first, &value, 0, "SELECT COUNT(*) FROM tenants", "") < 0) {
		failed = true;
	}
	write_count(writer, "tenants", "tenants", value, "");
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		value = sum_shards(&context->store, counts[i].text);
		failed |= value < 0;
		write_count(writer, counts[i].name, counts[i].label, value, counts[i].unit);
	}
	value = sum_waiting(&context->store);
	failed |= value < 0;
	write_count(writer, "waiting", "batches not derived", value, "");
	if (context->store.shards > 1) {
		write_shards(writer, &context->store);
	}
	if (writer_finish(writer) < 0) {
		return fail("output failed");
	}
	return failed ? fail("a database does not answer") : 0;
}

/* ---- users and tenants ---- */

/* From the terminal without echo, or the first line of a pipe. */
static bool read_password(char *password, size_t size)
{
	struct termios before, quiet;
	bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	bool got;

	if (terminal) {
		fputs("Password: ", stderr);
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	got = fgets(password, (int)size, stdin) != NULL;
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	password[got ? strcspn(password, "\r\n") : 0] = '\0';
	return got;
}

/* user NAME ROLE TENANT */
static int run_user(struct context *context)
{
	int role = auth_role_find(context->argument[1]);
	struct sql *sql = store_shard(&context->store, 0);
	char password[AUTH_PASSWORD_MAX + 2];
	int64_t tenant = strtoll(context->argument[2], NULL, 10);
	int64_t known = 0;
	int64_t id;

	if (role < 0) {
		return fail("expected a role owner, installer, viewer or operator, found '%s'",
			    context->argument[1]);
	}
	if (!sql ||
	    sql_one(sql, &known, 0, "SELECT 1 FROM tenants WHERE id = $1", "i", tenant) < 0) {
		return fail("the database does not answer");
	}
	if (!known) {
		return fail("there is no tenant %s", context->argument[2]);
	}
	if (!read_password(password, sizeof(password))) {
		return fail("expected a password on standard input");
	}
	id = auth_user_add(context->auth, tenant, context->argument[0], (enum auth_role)role,
			   password);
	sodium_memzero(password, sizeof(password));
	if (id == -EEXIST) {
		return fail("a user '%s' exists", context->argument[0]);
	}
	if (id < 0) {
		return fail("expected a name of 1 to %d bytes and a password of %d to %d",
			    AUTH_NAME_SIZE - 1, AUTH_PASSWORD_MIN, AUTH_PASSWORD_MAX);
	}
	printf("%" PRId64 "\n", id);
	return 0;
}

/* tenant NAME KIND */
static int run_tenant(struct context *context)
{
	struct sql *sql = store_shard(&context->store, 0);
	const char *kind = context->argument[1];
	int64_t id;

	if (strcmp(kind, "customer") != 0 && strcmp(kind, "company") != 0) {
		return fail("expected customer or company, found '%s'", kind);
	}
	if (!sql) {
		return fail("the database does not answer");
	}
	if (sql_one(sql, &id, 0, "INSERT INTO tenants (name, kind) VALUES ($1, $2) RETURNING id",
		    "ss", context->argument[0], kind) < 0) {
		return fail("%s", sql_error(sql));
	}
	printf("%" PRId64 "\n", id);
	return 0;
}

/* Sites of a tenant in all shards; -1 when one does not answer. */
static int64_t sites_of(struct store *store, int64_t tenant)
{
	int64_t sum = 0;

	for (int i = 0; i < store->shards; i++) {
		struct sql *sql = store_shard(store, i);
		int64_t sites;

		if (!sql ||
		    sql_one(sql, &sites, 0,
			    "SELECT COUNT(*) FROM sites WHERE arriving = 0 AND (customer = $1 "
			    "OR company = $1)",
			    "i", tenant) < 0) {
			return -1;
		}
		sum += sites;
	}
	return sum;
}

static int run_tenants(struct context *context)
{
	struct writer *writer = writer_new(context->format, stdout);
	struct sql *sql = store_shard(&context->store, 0);
	struct sql_rows *rows = NULL;
	int ret = sql ? sql_query(sql, &rows, "SELECT id, name, kind FROM tenants ORDER BY id", "")
		      : -ENOTCONN;

	writer_array(writer, "tenants", "", WRITER_LINES);
	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		int64_t sites = sites_of(&context->store, sql_int(rows, 0));

		writer_object(writer, NULL, "", WRITER_ROW);
		writer_number(writer, "id", "", sql_text(rows, 0), "");
		writer_string(writer, "name", "", sql_text(rows, 1));
		writer_string(writer, "kind", "", sql_text(rows, 2));
		write_count(writer, "sites", "sites", sites, "");
		writer_end(writer);
		ret = sites < 0 ? -ENOTCONN : 0;
	}
	writer_end(writer);
	sql_done(rows);
	if (writer_finish(writer) < 0 || ret < 0) {
		return fail("%s", ret < 0 ? "a database does not answer" : "output failed");
	}
	return 0;
}

/* ---- shards ---- */

static void show_moved(int64_t site, int from, int to)
{
	printf("site %" PRId64 ": from shard %d to shard %d\n", site, from, to);
}

/* Return: whether the text is a hash of a range of moves. */
static bool read_hash(const char *text, uint32_t *ret_hash)
{
	char *end;
	unsigned long hash = strtoul(text, &end, 16);

	*ret_hash = (uint32_t)hash;
	return *text && !*end && strlen(text) <= MOVE_HASH_BITS / 4;
}

/* move FIRST LAST */
static int run_move(struct context *context)
{
	char err[300] = "";
	uint32_t first, last;
	int64_t count;

	if (!read_hash(context->argument[0], &first) || !read_hash(context->argument[1], &last) ||
	    first > last) {
		return fail("move: expected two hashes from 0000 to ffff, found '%s' and '%s'",
			    context->argument[0], context->argument[1]);
	}
	if (context->store.shards == 1) {
		return fail("move: expected two lines of database in the configuration, or more");
	}
	count = move_finish(&context->store, err, sizeof(err));
	if (count > 0) {
		printf("%" PRId64 " interrupted moves ended\n", count);
	}
	count = count < 0 ? count
			  : move_range(&context->store, first, last, show_moved, err, sizeof(err));
	if (count < 0) {
		return fail("%s", err);
	}
	printf("%" PRId64 " sites moved\n", count);
	return 0;
}

/* ---- backup and restore ---- */

/*
 * What a backup has: the databases, and the keys by which ECUs and browsers know this service.
 * keys.db comes after the data, so that it has the keys of all that they hold.
 */
static const struct {
	const char *name;
	bool database;
	bool in_server; /* with PostgreSQL, it is there */
} files[] = {
	{ "control.db", true, false },	    { "data.db", true, true },
	{ "keys.db", true, false },	    { "tls/ca.pem", false, false },
	{ "tls/ca.key", false, false },	    { "tls/server.pem", false, false },
	{ "tls/server.key", false, false },
};

static bool is_copied(const struct context *context, size_t file)
{
	return !files[file].in_server || !context->config.database.n;
}

/* A copy of a database that may be in use. */
static int copy_database(const char *from, const char *to)
{
	sqlite3 *source = NULL;
	char err[PATH_MAX + 200];
	int ret = db_open(&source, from, DB_READ, err, sizeof(err));

	if (ret == 0) {
		ret = db_run(source, "VACUUM INTO ?", "s", to);
		snprintf(err, sizeof(err), "%s", sqlite3_errmsg(source));
	}
	db_close(source);
	return ret < 0 ? fail("%s: %s", to, err) : 0;
}

static int copy_file(const char *from, const char *to)
{
	FILE *in __cleanup(close_file) = fopen(from, "r");
	FILE *out __cleanup(close_file) = in ? fopen(to, "wx") : NULL;
	char bytes[65536];
	size_t n = out ? fread(bytes, 1, sizeof(bytes), in) : 0;

	if (!out || n == sizeof(bytes) || ferror(in) || fwrite(bytes, 1, n, out) != n ||
	    fflush(out) || fsync(fileno(out)) < 0) {
		return fail("%s: %s", in ? to : from, errno ? strerror(errno) : "too large");
	}
	return 0;
}

/* All files of one folder into another, for its owner alone; as root, for that of the folder. */
static int copy_all(const struct context *context, const char *from, const char *to)
{
	struct stat folder;
	char path[PATH_MAX], source[PATH_MAX];
	int ret = 0;

	umask(0077);
	snprintf(path, sizeof(path), "%s/tls", to);
	if ((mkdir(path, 0700) < 0 && errno != EEXIST) || stat(to, &folder) < 0) {
		return fail("%s: %s", path, strerror(errno));
	}
	if (geteuid() == 0 && chown(path, folder.st_uid, folder.st_gid) < 0) {
		return fail("%s: %s", path, strerror(errno));
	}
	for (size_t i = 0; i < ARRAY_SIZE(files) && ret == 0; i++) {
		if (!is_copied(context, i)) {
			continue;
		}
		snprintf(source, sizeof(source), "%s/%s", from, files[i].name);
		snprintf(path, sizeof(path), "%s/%s", to, files[i].name);
		ret = files[i].database ? copy_database(source, path) : copy_file(source, path);
		if (ret == 0 && geteuid() == 0 && chown(path, folder.st_uid, folder.st_gid) < 0) {
			ret = fail("%s: %s", path, strerror(errno));
		}
	}
	return ret;
}

/* backup FOLDER */
static int run_backup(struct context *context)
{
	const char *folder = context->argument[0];
	int ret;

	if (mkdir(folder, 0700) < 0) {
		return fail("%s: %s; expected a folder that does not exist", folder,
			    strerror(errno));
	}
	ret = copy_all(context, context->config.state, folder);
	if (ret == 0 && context->config.database.n) {
		fputs("emactl: the data are in PostgreSQL: expected a copy by pg_dump "
		      "before this\n",
		      stderr);
	}
	return ret;
}

/* restore FOLDER: into a state folder without databases */
static int run_restore(struct context *context)
{
	char path[PATH_MAX];

	if (mkdir(context->config.state, 0700) < 0 && errno != EEXIST) {
		return fail("%s: %s", context->config.state, strerror(errno));
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (access(path_in_state(context, files[i].name, path), F_OK) == 0) {
			return fail("%s exists; stop emad and move its files away first", path);
		}
		snprintf(path, sizeof(path), "%s/%s", context->argument[0], files[i].name);
		if (is_copied(context, i) && access(path, R_OK) < 0) {
			return fail("%s: %s; expected a folder of emactl backup", path,
				    strerror(errno));
		}
	}
	return copy_all(context, context->argument[0], context->config.state);
}

/* ---- program ---- */

static const struct {
	const char *name;
	int arguments;
	bool open;
	int (*run)(struct context *context);
} commands[] = {
	{ "status", 0, true, run_status },    { "tenants", 0, true, run_tenants },
	{ "tenant", 2, true, run_tenant },    { "user", 3, true, run_user },
	{ "move", 2, true, run_move },	      { "backup", 1, false, run_backup },
	{ "restore", 1, false, run_restore },
};

static const char doc[] =
	"The operator's tool of the monitoring service.\v"
	"Commands:\n"
	"  status                    counts and sizes\n"
	"  tenants                   all tenants\n"
	"  tenant NAME KIND          add a customer or company; print its number\n"
	"  user NAME ROLE TENANT     add a user; the password comes from standard input\n"
	"  move FIRST LAST           move sites with these hashes to their shard\n"
	"  backup FOLDER             copy the databases while the service runs\n"
	"  restore FOLDER            copy a backup into an empty state folder";

static const struct argp_option options[] = {
	OPTIONS_CONFIG(CONFIG_FILE),
	{ "state", 's', "FOLDER", 0, "state folder, " CONFIG_STATE " unless given", 0 },
	{ "json", 'j', NULL, 0, "output for programs", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct context *context = state->input;

	switch (key) {
	case 's':
		snprintf(context->config.state, sizeof(context->config.state), "%s", value);
		return 0;
	case 'j':
		context->format = WRITER_JSON;
		return 0;
	case ARGP_KEY_ARG:
		if (context->arguments > ARGUMENTS_MAX) {
			argp_error(state, "unexpected argument '%s'", value);
		}
		context->argument[context->arguments++] = value;
		return 0;
	default:
		return options_take(key, value, state, &context->common);
	}
}

static int run(struct context *context)
{
	const char *name = context->arguments > 0 ? context->argument[0] : "status";
	int given = context->arguments > 0 ? context->arguments - 1 : 0;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		int ret;

		if (strcmp(commands[i].name, name) != 0) {
			continue;
		}
		if (given != commands[i].arguments) {
			fail("%s: expected %d arguments, found %d", name, commands[i].arguments,
			     given);
			return EXIT_CONFIG;
		}
		memmove(context->argument, context->argument + 1, sizeof(char *) * ARGUMENTS_MAX);
		ret = commands[i].open ? open_all(context) : 0;
		return ret ? ret : commands[i].run(context);
	}
	fail("unknown command '%s'; --help lists them", name);
	return EXIT_CONFIG;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "COMMAND [ARGUMENT...]", .doc = doc
	};
	struct context context = { .format = WRITER_TEXT };
	char state[sizeof(context.config.state)] = CONFIG_STATE;
	char err[PATH_MAX + 200];
	int ret;

	argp_err_exit_status = EXIT_CONFIG;
	argp_program_version_hook = version_print;
	argp_parse(&argp, argc, argv, 0, NULL, &context);
	log_init("emactl", LOG_WARNING);
	if (context.config.state[0]) {
		strcpy(state, context.config.state);
	}
	if (clock_setup() < 0 || sodium_init() < 0) {
		return EXIT_CONFIG;
	}
	if (config_load(context.common.config, &context.config, err, sizeof(err)) < 0) {
		fail("%s", err);
		return EXIT_CONFIG;
	}
	strcpy(context.config.state, state);
	ret = run(&context);
	if (context.store.vault) {
		store_close(&context.store);
	}
	auth_close(context.auth);
	db_close(context.control);
	return ret;
}
