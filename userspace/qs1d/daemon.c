// SPDX-License-Identifier: GPL-2.0-only
#include "daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "../lib/log.h"
#include "../lib/names.h"
#include "../lib/sysfs.h"
#include "journal.h"

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

struct event_time daemon_time(void)
{
	return (struct event_time){
		.real_ms = clock_ms(CLOCK_REALTIME),
		.mono_ms = clock_ms(CLOCK_MONOTONIC),
	};
}

static int save(struct daemon *daemon, unsigned int copies)
{
	struct persist persist = {
		.policy = daemon->policy.kept,
		.energy = daemon->energy,
		.boots = daemon->store.boots,
	};

	return store_save(&daemon->store, &persist, daemon_time(), copies);
}

/* Energy, and what else is due; the disk may be full, or gone. */
static void save_energy(struct daemon *daemon)
{
	int ret = save(daemon, 1);

	if (ret < 0 && ret != daemon->store_result) {
		log_err("%s: %s", daemon->config.store_a, strerror(-ret));
	}
	daemon->store_result = ret;
}

/* An action on the firmware; its own words for a refusal are kept. */
static int act(struct daemon *daemon, const struct policy_output *out)
{
	struct board *board = &daemon->board;
	char words[32];
	int ret;

	switch (out->action) {
	case POLICY_APPLY_PROFILE:
		ret = board_apply(board, out->profile);
		break;
	case POLICY_SET:
		ret = board_set(board, out->param, out->value);
		break;
	case POLICY_LATCH:
	case POLICY_CLEAR:
		snprintf(words, sizeof(words), "%s %s",
			 out->action == POLICY_LATCH ? "latch" : "clear",
			 qs1_fault_name(out->fault));
		ret = board_control(board, words);
		break;
	case POLICY_ARM:
		ret = board_control(board, "arm");
		break;
	case POLICY_DISARM:
		ret = board_control(board, "disarm");
		break;
	default:
		return 0;
	}
	if (ret < 0) {
		board_refusal(board, daemon->refusal, sizeof(daemon->refusal));
	}
	return ret;
}

/* What an action was about. */
static void describe(const struct policy_output *out, char *text, size_t size)
{
	char value[QS1_DECIMAL_SIZE];

	switch (out->action) {
	case POLICY_APPLY_PROFILE:
		snprintf(text, size, "apply profile %s", out->profile->name);
		break;
	case POLICY_SET:
		snprintf(text, size, "set %s to %s", qs1_param_desc(out->param)->name,
			 qs1_decimal_format(value, out->value,
					    qs1_param_desc(out->param)->decimals));
		break;
	case POLICY_LATCH:
	case POLICY_CLEAR:
		snprintf(text, size, "%s: %s", policy_action_text(out->action),
			 qs1_fault_name(out->fault));
		break;
	default:
		snprintf(text, size, "%s", policy_action_text(out->action));
		break;
	}
}

/* A success is an event; a failure is one when it is not the same as the last. */
static void record(struct daemon *daemon, const struct policy_output *out, int result)
{
	char text[96];

	if (out->action == POLICY_SAVE && !result) {
		return;
	}
	if (result < 0 && daemon->failed.action == out->action && daemon->failed.result == result) {
		return;
	}
	daemon->failed.action = result < 0 ? out->action : POLICY_NONE;
	daemon->failed.result = result;
	describe(out, text, sizeof(text));
	if (result < 0) {
		events_policy(&daemon->events, daemon_time(), "failure", "%s: %s%s%s", text,
			      strerror(-result), daemon->refusal[0] ? ": " : "", daemon->refusal);
	} else {
		events_policy(&daemon->events, daemon_time(), "action", "%s", text);
	}
}

static struct policy_input observe(struct daemon *daemon)
{
	const struct board_sample *sample = &daemon->board.sample;

	return (struct policy_input){
		.present = daemon->board.running,
		.epoch = sample->epoch,
		.sample = sample->number,
		.status = sample->status,
		.faults_active = sample->faults_active,
		.faults_latched = sample->faults_latched,
		.reading = sample->reading,
		.plausible = sample->plausible,
		.ecu = daemon->ecu,
	};
}

static void follow_output(struct daemon *daemon, const struct policy_output *out)
{
	if (out->command_done) {
		daemon->command_done = true;
		daemon->command_result = out->command_result;
	}
	if (out->heartbeat) {
		board_heartbeat(&daemon->board);
	}
	if (out->remind) {
		events_policy(&daemon->events, daemon_time(), "reminder", "ground fault latched");
	}
}

/* Let policy decide until there is nothing left to do now. */
static bool step(struct daemon *daemon, const struct policy_command *command)
{
	struct policy_input in = observe(daemon);
	bool fresh = false;

	in.command = command;
	do {
		struct policy_output *out = &daemon->out;

		policy_step(&daemon->policy, &in, daemon_time().mono_ms, out);
		recorder_add(&daemon->recorder, &in, out, daemon_time());
		fresh = fresh || out->fresh;
		follow_output(daemon, out);
		in.command = NULL;
		in.ecu = false;
		if (out->action != POLICY_NONE) {
			daemon->refusal[0] = '\0';
			in.result = out->action == POLICY_SAVE ? save(daemon, RING_FILES)
							       : act(daemon, out);
			record(daemon, out, in.result);
		}
	} while (daemon->out.action != POLICY_NONE);
	daemon->ecu = false;
	leds_show(&daemon->leds, daemon->out.show);
	return fresh;
}

int daemon_command(struct daemon *daemon, const struct policy_command *command)
{
	daemon->command_done = false;
	daemon->refusal[0] = '\0';
	step(daemon, command);
	return daemon->command_done ? daemon->command_result : -EIO;
}

static void count_energy(struct daemon *daemon)
{
	const struct board_sample *sample = &daemon->board.sample;
	bool resume = !daemon->energy_valid;

	if (sample->energy_epoch != sample->epoch) {
		return;
	}
	if (resume) {
		energy_resume(&daemon->energy, sample->epoch, sample->energy_mj);
		daemon->energy_valid = true;
	}
	energy_update(&daemon->energy, sample->epoch, sample->energy_mj);
	if (resume || store_is_due(&daemon->store, &daemon->energy, daemon_time().mono_ms)) {
		save_energy(daemon);
	}
}

static void take_events(struct daemon *daemon)
{
	struct events *events = &daemon->events;
	char text[SYSFS_SIZE + 1];

	daemon->events_ms = daemon_time().mono_ms;
	daemon->events_failed = sysfs_read(daemon->board.events, text, sizeof(text)) < 0;
	if (daemon->events_failed || !daemon->board.running) {
		return;
	}
	if (!daemon->epoch) {
		events_resume(events);
	} else if (daemon->epoch != daemon->board.sample.epoch) {
		events_restart(events);
	}
	daemon->epoch = daemon->board.sample.epoch;
	if (events_firmware(events, text, daemon_time(), daemon->board.last_ticks) < 0) {
		log_warning("driver: a line of 'events' is not understood");
	}
}

static void count_trip(struct daemon *daemon, const struct event *event)
{
	int fault = !strcmp(event->kind, "trip") ? qs1_fault_find(event->cause) : -ENOENT;

	if (fault >= 0) {
		daemon->trips[fault]++;
	}
}

/* New events: to the log, and to the clients that follow. */
static void tell_events(struct daemon *daemon)
{
	struct events *events = &daemon->events;

	if (daemon->events_told == events->newest) {
		return;
	}
	while (daemon->events_told < events->newest) {
		const struct event *event = events_get(events, ++daemon->events_told);

		if (event) {
			count_trip(daemon, event);
			journal_event(event);
		}
	}
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		requests_follow(daemon, &daemon->control.client[i]);
	}
}

static void write_metrics(struct daemon *daemon)
{
	const char *path = daemon->config.metrics;
	int64_t now = daemon_time().mono_ms;
	int ret;

	if (!path[0] || now < daemon->metrics_ms) {
		return;
	}
	daemon->metrics_ms = now + DAEMON_METRICS_MS;
	ret = metrics_write(daemon, path);
	if (ret < 0 && ret != daemon->metrics_result) {
		log_err("%s: %s", path, strerror(-ret));
	}
	daemon->metrics_result = ret;
}

static void take_change(void *ctx, const char *name, const char *from, const char *to)
{
	struct daemon *daemon = ctx;
	const char *effect = !strcmp(name, "metrics")	? ""
			     : !strcmp(name, "profile") ? ", but this unit has its own"
							: ", takes a restart";

	events_policy(&daemon->events, daemon_time(), "reload", "%s: '%.48s' becomes '%.48s'%s",
		      name, from, to, effect);
}

/*
 * The configuration, read again. One that is wrong changes nothing. A grid
 * profile is never changed this way, but by a command that is recorded.
 */
static void reload(struct daemon *daemon)
{
	struct qs1_profile profile;
	struct config config;
	char err[QS1_PROFILE_ERR_SIZE];

	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, daemon_time().mono_ms * 1000);
	if (config_load(daemon->config_path, &config, &profile, err, sizeof(err)) < 0) {
		events_policy(&daemon->events, daemon_time(), "failure", "reload: %s", err);
	} else {
		config_changes(&daemon->config, &config, take_change, daemon);
		strcpy(daemon->config.metrics, config.metrics);
		daemon->metrics_ms = 0;
	}
	sd_notify(0, "READY=1");
}

static void tell_systemd(struct daemon *daemon, bool alive)
{
	int64_t now = daemon_time().mono_ms;

	if (!daemon->ready &&
	    (daemon->board.running || now - daemon->start_ms >= DAEMON_READY_MS)) {
		daemon->ready = true;
		sd_notify(0, "READY=1");
	}
	if (alive && now >= daemon->watchdog_ms) {
		daemon->watchdog_ms = now + DAEMON_WATCHDOG_MS;
		sd_notify(0, "WATCHDOG=1");
	}
	if (daemon->status_state != daemon->out.state || now >= daemon->status_ms) {
		daemon->status_state = daemon->out.state;
		daemon->status_ms = now + DAEMON_STATUS_MS;
		if (daemon->board.running) {
			sd_notifyf(0, "STATUS=%s, %.0f W, profile %s",
				   qs1_state_name(daemon->out.state),
				   daemon->board.sample.meter[BOARD_GRID_P],
				   daemon->policy.kept.profile.name);
		} else {
			sd_notify(0, daemon->board.bound ? "STATUS=waiting for the firmware"
							 : "STATUS=waiting for the driver");
		}
	}
}

/*
 * One period. The watchdog is fed by a sample that has not been seen before and
 * a decision on it, or by the certainty that there is no inverter to protect.
 */
static void tick(struct daemon *daemon)
{
	int64_t now = daemon_time().mono_ms;
	bool meter = now >= daemon->meter_ms;
	bool was_bound = daemon->board.bound;
	bool fresh;
	int ret;

	if (meter) {
		daemon->meter_ms = now + DAEMON_METER_MS;
	}
	ret = board_poll(&daemon->board, meter);
	if (daemon->board.bound && !was_bound) {
		leds_forget(&daemon->leds);
	}
	if (!ret) {
		count_energy(daemon);
	}
	fresh = step(daemon, NULL);
	if (daemon->board.bound && now - daemon->events_ms >= DAEMON_EVENTS_MS) {
		take_events(daemon);
	}
	tell_events(daemon);
	store_events(&daemon->store, &daemon->events, daemon_time());
	write_metrics(daemon);
	tell_systemd(daemon, fresh || !daemon->board.running);
}

static int start_timer(void)
{
	const struct itimerspec period = {
		.it_interval.tv_nsec = DAEMON_PERIOD_MS * 1000000,
		.it_value.tv_nsec = 1,
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0 || timerfd_settime(fd, 0, &period, NULL) < 0) {
		return -errno;
	}
	return fd;
}

static int loop(struct daemon *daemon, struct daemon_signals *signals)
{
	int timer __cleanup(close_fd) = start_timer();

	if (timer < 0) {
		return timer;
	}
	while (!signals->stop) {
		struct pollfd fds[CONTROL_FDS + 2];
		uint64_t expirations;

		control_fds(&daemon->control, fds);
		fds[CONTROL_FDS] = (struct pollfd){ .fd = timer, .events = POLLIN };
		/* An attribute whose device is going away is always ready. */
		fds[CONTROL_FDS + 1] = (struct pollfd){
			.fd = daemon->events_failed ? -1 : daemon->board.events,
			.events = POLLPRI,
		};
		if (signals->reload) {
			signals->reload = 0;
			reload(daemon);
		}
		/* A signal that comes just before this is noticed a period later. */
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0) {
			continue;
		}
		if (fds[CONTROL_FDS + 1].revents & POLLPRI) {
			take_events(daemon);
		}
		if (fds[CONTROL_FDS].revents &&
		    read(timer, &expirations, sizeof(expirations)) > 0) {
			tick(daemon);
		}
		control_poll(&daemon->control, fds);
		tell_events(daemon);
	}
	return 0;
}

/*
 * Without a record this unit has never been used. With one that can not be read
 * nobody knows whether a ground fault was latched: stay off until a person says
 * otherwise.
 */
static int load_state(struct daemon *daemon, const struct qs1_profile *profile)
{
	const char *const folder[RING_FILES] = { daemon->config.store_a, daemon->config.store_b };
	struct persist persist = { .policy = { .profile = *profile } };
	char err[QS1_PROFILE_ERR_SIZE];
	int ret = store_open(&daemon->store, &ring_io_files, NULL, folder, daemon_time(), &persist,
			     &daemon->events, err, sizeof(err));

	switch (ret) {
	case 0:
		break;
	case -ENOMEM:
		return ret;
	case -ENOENT:
		log_notice("%s: nothing stored yet, profile %s", folder[0], profile->name);
		break;
	case -EINVAL:
		log_err("%s. Staying shut down until 'qs1ctl start'", err);
		persist.policy.shutdown = true;
		break;
	default:
		log_err("%s. Nothing is kept over a loss of power", err);
		break;
	}
	daemon->energy = persist.energy;
	daemon->events.boot = persist.boots;
	daemon->events_told = daemon->events.newest;
	policy_init(&daemon->policy, &persist.policy, daemon_time().mono_ms);
	return 0;
}

/*
 * The heartbeat ends here: unless another daemon takes over, the firmware stops
 * production in a moment, and the LEDs say so already.
 */
static void leave(struct daemon *daemon)
{
	sd_notify(0, "STOPPING=1");
	if (daemon->energy_valid) {
		save_energy(daemon);
	}
	/* The last words are stored whether or not it is their turn. */
	daemon->store.events_credit_ms -= STORE_EVENTS_MS;
	store_events(&daemon->store, &daemon->events, daemon_time());
	store_close(&daemon->store);
	leds_show(&daemon->leds, daemon->out.show == POLICY_SHOW_GROUND_FAULT
					 ? POLICY_SHOW_GROUND_FAULT
					 : POLICY_SHOW_NOT_PRODUCING);
	board_close(&daemon->board);
	control_close(&daemon->control);
}

int daemon_run(const struct config *config, const char *config_path,
	       const struct qs1_profile *profile, const char *root, struct daemon_signals *signals)
{
	struct daemon *daemon __cleanup(free_ptr) = calloc(1, sizeof(*daemon));
	int ret;

	if (!daemon) {
		return -ENOMEM;
	}
	daemon->config = *config;
	daemon->config_path = config_path;
	daemon->start_ms = daemon_time().mono_ms;
	board_init(&daemon->board, root);
	leds_init(&daemon->leds, root);
	/* Also keeps a second daemon from what the first one stores. */
	ret = control_open(&daemon->control, config->socket, requests_line, daemon);
	if (ret < 0) {
		log_err("%s: %s", config->socket, strerror(-ret));
		return ret;
	}
	ret = load_state(daemon, profile);
	if (ret < 0) {
		return ret;
	}
	if (board_poll(&daemon->board, true) == -ENODEV) {
		log_notice("no IIO device 'qs1-meter' yet, waiting for the driver");
	}
	ret = loop(daemon, signals);
	leave(daemon);
	return ret;
}
