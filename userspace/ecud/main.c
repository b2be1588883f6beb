// SPDX-License-Identifier: GPL-2.0-or-later
/* ecud: the gateway. Sockets, clocks and the order of start and stop around core.c. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "aps.h"
#include "core.h"
#include "ecud.h"
#include "log.h"
#include "mdns.h"
#include "meter.h"
#include "modbus.h"
#include "mqtt.h"
#include "options.h"
#include "port.h"
#include "rest.h"
#include "service_clock.h"
#include "uplink.h"
#include "util.h"
#include "version.h"

/* Buffers of at least this size, such as those for histories, return to the system when freed. */
#define MMAP_BYTES (64 * 1024)
/* Heaps that the threads share. */
#define ARENAS 2
/* A port that is not there is tried again this often. */
#define RETRY_US UINT64_C(2000000)
/* A wall clock that moves by more than this against the monotonic one was set. */
#define STEP_MS 5000

/*
 * The interfaces, in the order of their start: a row here and a file for each.
 */
static const struct interface *const interfaces[] = {
	&interface_rest, &interface_modbus, &interface_aps,
	&interface_mqtt, &interface_meter,  &interface_mdns,
};

static struct {
	struct config config;
	struct ecu ecu;
	struct core *core;
	struct uplink *uplink;
	void *interface_state[ARRAY_SIZE(interfaces)];
	int port;
	bool port_failed;
	sd_event_source *port_source;
	sd_event_source *timer;
	uint64_t retry_us;
	int64_t clock_ms; /* wall clock minus monotonic clock, when last looked at */
} app = { .port = -1 };

/* ---- time ---- */

static void set_time(void)
{
	core_time(app.core, clock_monotonic_us(), clock_wall_ms());
}

/* A step of the wall clock is an event; nothing else depends on it. */
static void watch_clock(void)
{
	int64_t offset_ms = app.core->now_ms - (int64_t)(app.core->now_us / 1000);

	if (llabs(offset_ms - app.clock_ms) > STEP_MS) {
		core_event(app.core, EVENT_CLOCK_STEPPED, -1, "%lld s",
			   (long long)(offset_ms - app.clock_ms) / 1000);
	}
	app.clock_ms = offset_ms;
}

static void set_timer(void)
{
	uint64_t due_us = core_due(app.core);

	if (app.port < 0 && app.retry_us < due_us) {
		due_us = app.retry_us;
	}
	sd_event_source_set_time(app.timer, clock_system_us(due_us));
	sd_event_source_set_enabled(app.timer, SD_EVENT_ONESHOT);
}

/* ---- radio ---- */

static void to_modem(void *ctx, const uint8_t *bytes, size_t n)
{
	(void)ctx;
	/* Bytes that the port does not accept are lost: the radio notices by the missing answer. */
	if (app.port >= 0 && write(app.port, bytes, n) < 0 && errno != EAGAIN) {
		log_warning("%s: write: %s", app.config.radio, strerror(errno));
	}
}

static void hard_reset(void *ctx)
{
	(void)ctx;
	if (app.port >= 0) {
		port_reset(app.port);
	}
}

static void random_bytes(void *ctx, uint8_t *bytes, size_t n)
{
	(void)ctx;
	randombytes_buf(bytes, n);
}

static const struct core_ops core_ops = { to_modem, hard_reset, random_bytes };

static void close_port(const char *why)
{
	if (!app.port_failed) {
		log_warning("%s: %s", app.config.radio, why);
		app.port_failed = true;
	}
	app.retry_us = app.core->now_us + RETRY_US;
	if (app.port < 0) {
		return;
	}
	app.port_source = sd_event_source_disable_unref(app.port_source);
	close(app.port);
	app.port = -1;
	core_close(app.core);
	core_event(app.core, EVENT_RADIO_DOWN, -1, "%s: %s", app.config.radio, why);
}

static int on_port(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	uint8_t bytes[512];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	(void)source;
	(void)events;
	(void)ctx;
	set_time();
	if (n > 0) {
		core_bytes(app.core, bytes, (size_t)n);
	} else if (n == 0 || errno != EAGAIN) {
		close_port(n ? strerror(errno) : "hung up");
	}
	set_timer();
	return 0;
}

static void open_port(void)
{
	int port = port_open(app.config.radio);
	int ret = port < 0 ? port
			   : sd_event_add_io(app.ecu.event, &app.port_source, port, EPOLLIN,
					     on_port, NULL);

	if (ret < 0) {
		close_port(strerror(-ret));
		return;
	}
	app.port = port;
	app.port_failed = false;
	core_open(app.core);
}

static int on_timer(sd_event_source *source, uint64_t us, void *ctx)
{
	(void)source;
	(void)us;
	(void)ctx;
	set_time();
	watch_clock();
	if (app.port < 0 && *app.config.radio && app.core->now_us >= app.retry_us) {
		open_port();
	}
	core_run(app.core);
	set_timer();
	return 0;
}

/* ---- orders, meter ---- */

static void on_order(void *ctx, struct order *order)
{
	(void)ctx;
	set_time();
	core_order(app.core, order);
	set_timer();
}

static void on_refused(void *ctx, struct order *order)
{
	(void)ctx;
	set_time();
	core_refused(app.core, order);
}

void ecu_meter(struct ecu *ecu, double total_w, const double phase_w[3], int64_t time_ms)
{
	(void)ecu;
	set_time();
	core_meter(app.core, total_w, phase_w, time_ms);
	set_timer();
}

/* The store keeps all events, of the core and of the interfaces. */
static void on_change(void *ctx, enum model_change change, int unit, uint64_t number)
{
	struct model_event event;

	(void)ctx;
	(void)unit;
	if (change == CHANGE_EVENT) {
		model_lock(app.ecu.model);
		event = app.ecu.model->event[number % MODEL_EVENTS];
		model_unlock(app.ecu.model);
		store_put_event(app.ecu.store, &event);
	}
}

/* ---- start and stop ---- */

static int load_unit(void *ctx, const struct store_unit *unit)
{
	(void)ctx;
	if (unit->removed) {
		core_add_removed(app.core, unit);
		return 0;
	}
	return core_add(app.core, unit) < 0 ? -EUCLEAN : 0;
}

static int load_limit(void *ctx, const struct power_limits_entry *entry)
{
	(void)ctx;
	return power_limits_put(&app.core->limits, entry) < 0 ? -EUCLEAN : 0;
}

/* The identity: configured, kept, or drawn at the first start. */
static void choose_id(char *id)
{
	if (*app.config.ecu_id) {
		strcpy(id, app.config.ecu_id);
	} else if (store_get(app.ecu.store, "ecu_id", id, SERIAL_TEXT_SIZE) < 0 || !*id) {
		snprintf(id, SERIAL_TEXT_SIZE, "216%09u", randombytes_uniform(1000000000));
	}
	store_set(app.ecu.store, "ecu_id", id);
}

static double kept_cadence_s(void)
{
	char text[32] = "";
	double cadence_s;

	store_get(app.ecu.store, "cadence_s", text, sizeof(text));
	cadence_s = strtod(text, NULL);
	return cadence_s >= 1 && cadence_s <= 300 ? cadence_s : app.config.cadence_s;
}

static int start_core(void)
{
	uint8_t ecu[JOIN_ECU_BYTES];
	const char *radio_id;
	uint64_t seed;

	randombytes_buf(&seed, sizeof(seed));
	choose_id(app.ecu.model->ecu_id);
	radio_id = *app.config.radio_id ? app.config.radio_id : app.ecu.model->ecu_id;
	snprintf(app.ecu.model->site_name, sizeof(app.ecu.model->site_name), "%.63s",
		 app.config.site_name);
	join_ecu_parse(radio_id, ecu);
	app.core = core_new(app.ecu.model, app.ecu.store, ecu, (uint8_t)app.config.channel,
			    (uint64_t)(kept_cadence_s() * 1e6), seed, &core_ops, NULL);
	if (!app.core) {
		return -ENOMEM;
	}
	app.core->profiles = app.config.profiles;
	export_init(&app.core->export, app.config.export_limit_w, app.config.export_safe_w);
	app.core->balance_w = app.config.balance_w;
	app.core->stop_together = app.config.stop_together > 0;
	set_time();
	app.clock_ms = app.core->now_ms - (int64_t)(app.core->now_us / 1000);
	return 0;
}

static int load(void)
{
	int ret = store_load_events(app.ecu.store, app.ecu.model);

	if (ret >= 0) {
		ret = model_watch(app.ecu.model, on_change, NULL);
	}
	if (ret >= 0) {
		ret = store_load_limits(app.ecu.store, load_limit, NULL);
	}
	if (ret >= 0) {
		ret = store_load_units(app.ecu.store, load_unit, NULL);
	}
	if (ret >= 0) {
		core_show_limits(app.core);
		core_event(app.core, EVENT_STARTED, -1, "%d inverters", app.ecu.model->units);
	}
	return ret;
}

static int start_interfaces(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
		int ret = interfaces[i]->start(&app.ecu, &app.interface_state[i]);

		if (ret < 0) {
			log_err("%s: %s", interfaces[i]->name, strerror(-ret));
			return ret;
		}
	}
	return 0;
}

static void stop_interfaces(void)
{
	for (size_t i = ARRAY_SIZE(interfaces); i-- > 0;) {
		if (interfaces[i]->stop && app.interface_state[i]) {
			interfaces[i]->stop(app.interface_state[i]);
		}
	}
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *ctx)
{
	(void)info;
	(void)ctx;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int watch_signals(void)
{
	static const int numbers[] = { SIGTERM, SIGINT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		sigaddset(&set, numbers[i]);
	}
	/* before any thread starts, so that none of them takes one */
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		int ret = sd_event_add_signal(app.ecu.event, NULL, numbers[i], on_signal, NULL);

		if (ret < 0) {
			return ret;
		}
	}
	return 0;
}

/* One ecud has a state folder. The lock ends with the process. */
static int lock_state(char *err, size_t size)
{
	char path[PATH_MAX + 16];
	int fd;

	mkdir(app.config.state, 0700);
	snprintf(path, sizeof(path), "%s/ecud.lock", app.config.state);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		snprintf(err, size, "%s: %s", path, strerror(errno));
		return -errno;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		snprintf(err, size, "%s: another ecud runs with this folder: stop it first",
			 app.config.state);
		close(fd);
		return -EBUSY;
	}
	return 0;
}

/* Everything up to the first turn of the loop. */
static int start(void)
{
	char err[PATH_MAX + 512];
	int ret = sd_event_default(&app.ecu.event);

	ret = ret < 0 ? ret : watch_signals();
	if (ret < 0) {
		return ret;
	}
	app.ecu.config = &app.config;
	app.ecu.model = model_new("");
	if (!app.ecu.model) {
		return -ENOMEM;
	}
	ret = lock_state(err, sizeof(err));
	ret = ret < 0 ? ret
		      : store_open(&app.ecu.store, app.config.state, app.ecu.model, err,
				   sizeof(err));
	if (ret < 0) {
		log_err("%s", err);
		return ret;
	}
	ret = start_core();
	ret = ret < 0 ? ret : load();
	ret = ret < 0 ? ret
		      : orders_new(&app.ecu.orders, app.ecu.event, on_order, on_refused, NULL);
	ret = ret < 0 ? ret
		      : sd_event_add_time(app.ecu.event, &app.timer, CLOCK_MONOTONIC, 0, 1000,
					  on_timer, NULL);
	ret = ret < 0 ? ret
		      : uplink_start(&app.uplink, app.ecu.event, &app.config, app.ecu.model,
				     app.ecu.orders, app.ecu.store);
	ret = ret < 0 ? ret : start_interfaces();
	sd_event_set_watchdog(app.ecu.event, true);
	return ret;
}

static void stop(void)
{
	stop_interfaces();
	uplink_stop(app.uplink);
	orders_free(app.ecu.orders);
	for (int i = 0; app.core && i < app.ecu.model->units; i++) {
		core_keep(app.core, i);
	}
	store_close(app.ecu.store);
	core_free(app.core);
	model_free(app.ecu.model);
	close_fd(&app.port);
	sd_event_source_disable_unref(app.port_source);
	sd_event_source_disable_unref(app.timer);
	sd_event_unref(app.ecu.event);
}

/* ---- command line ---- */

/* Columns: member, option, letter, argument, help. */
struct arguments {
	struct options common;
	const char *state;
	const char *listen;
	const char *backup;
	const char *restore;
	const char *export;
};

static const struct argp_option option_list[] = {
	OPTIONS_CONFIG(CONFIG_FILE),
	OPTIONS_CHECK,
	{ "state", 's', "FOLDER", 0, "state folder", 0 },
	{ "listen", 'l', "ADDR", 0, "address of all servers", 0 },
	{ "backup", 'b', "FILE", 0, "copy the store to a file, also while ecud runs, and exit", 0 },
	{ "restore", 'r', "FILE", 0,
	  "replace the store by a backup, while ecud is stopped, and exit", 0 },
	{ "export", 'e', "FILE", 0, "write all readings as CSV, and exit", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 's':
		arguments->state = value;
		return 0;
	case 'l':
		arguments->listen = value;
		return 0;
	case 'b':
		arguments->backup = value;
		return 0;
	case 'r':
		arguments->restore = value;
		return 0;
	case 'e':
		arguments->export = value;
		return 0;
	default:
		return options_take(key, value, state, &arguments->common);
	}
}

/* The command line goes before systemd's folder, and that before the file. */
static void override(const struct arguments *arguments)
{
	const char *state = arguments->state ? arguments->state : getenv("STATE_DIRECTORY");

	if (state) {
		snprintf(app.config.state, sizeof(app.config.state), "%s", state);
	}
	if (arguments->listen) {
		snprintf(app.config.listen, sizeof(app.config.listen), "%s", arguments->listen);
	}
}

/* What needs no daemon: 0, or an exit status; -1 when there is nothing of that kind to do. */
static int do_store(const struct arguments *arguments)
{
	char err[PATH_MAX + 512] = "";
	int ret;

	if (arguments->backup) {
		ret = store_backup(app.config.state, arguments->backup, err, sizeof(err));
	} else if (arguments->restore) {
		ret = lock_state(err, sizeof(err));
		ret = ret < 0 ? ret
			      : store_restore(app.config.state, arguments->restore, err,
					      sizeof(err));
	} else if (arguments->export) {
		ret = store_export(app.config.state, arguments->export, err, sizeof(err));
	} else {
		return -1;
	}
	if (ret < 0) {
		log_err("%s", err);
	}
	return ret < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_list,
		.parser = parse,
		.doc = "The qs1 gateway: reads inverters by radio, stores, serves and controls.",
	};
	struct arguments arguments = { 0 };
	char err[PATH_MAX + 512];
	int ret;

	mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
	mallopt(M_ARENA_MAX, ARENAS);
	argp_err_exit_status = EXIT_CONFIG;
	argp_program_version_hook = version_print;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	log_init("ecud", LOG_INFO);
	if (config_load(arguments.common.config, &app.config, err, sizeof(err)) < 0) {
		log_err("%s", err);
		return EXIT_CONFIG;
	}
	if (arguments.common.check) {
		return 0;
	}
	if (clock_setup() < 0 || sodium_init() < 0) {
		return EXIT_CONFIG;
	}
	umask(0077);
	override(&arguments);
	ret = do_store(&arguments);
	if (ret >= 0) {
		return ret;
	}
	ret = start();
	if (ret >= 0) {
		sd_notify(0, "READY=1");
		ret = sd_event_loop(app.ecu.event);
	}
	if (ret < 0) {
		log_err("%s", strerror(-ret));
	}
	stop();
	return ret < 0 ? 1 : 0;
}
