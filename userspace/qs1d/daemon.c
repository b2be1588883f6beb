// SPDX-License-Identifier: GPL-2.0-only
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <sodium.h>
#include <systemd/sd-daemon.h>

#include "../lib/clock.h"
#include "../lib/log.h"
#include "../lib/names.h"
#include "../lib/sysfs.h"

struct event_time daemon_time(void)
{
	return (struct event_time){
		.real_ms = clock_ms(CLOCK_REALTIME),
		.mono_ms = clock_ms(CLOCK_MONOTONIC),
	};
}

/* Hand a state to the storage thread. */
static void save(struct daemon *daemon, enum saving whose, const struct policy_kept *kept)
{
	struct persist persist = {
		.policy = *kept,
		.energy = daemon->energy,
		.boots = daemon->store.boots,
	};

	memcpy(persist.unit, daemon->unit, MARK_ID_SIZE);
	daemon->saving = whose;
	daemon->saving_energy = daemon->energy;
	daemon->pace.saved_ms = daemon_time().mono_ms;
	storage_save(&daemon->storage, &persist, daemon_time(),
		     whose == SAVING_POLICY ? RING_FILES : 1);
}

/* An action on the firmware; its own words for a refusal are kept. */
static int act(struct daemon *daemon, const struct policy_output *out)
{
	struct board *board = &daemon->board;
	int ret;

	switch (out->action) {
	case POLICY_APPLY_PROFILE:
		ret = board_apply(board, out->profile);
		break;
	case POLICY_SET:
		ret = board_set(board, out->param, out->value);
		break;
	case POLICY_LATCH:
		ret = board_latch(board, out->fault);
		break;
	case POLICY_CLEAR:
		ret = board_clear(board, out->fault);
		break;
	default:
		ret = board_arm(board, out->action == POLICY_ARM);
		break;
	}
	if (ret < 0) {
		board_refusal(board, daemon->refusal, sizeof(daemon->refusal));
	}
	return ret;
}

/* An action in words. */
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

/*
 * A success is an event, unless the value was in force before; a failure is one
 * when it is not the same as the last.
 */
static void record(struct daemon *daemon, const struct policy_output *out, int result)
{
	char text[96];

	if (result == BOARD_UNCHANGED || (result < 0 && daemon->failed.action == out->action &&
					  daemon->failed.result == result)) {
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
		.storage_busy = daemon->saving == SAVING_ENERGY,
	};
}

/* The file is in memory: it delays nothing. */
static void save_leases(struct daemon *daemon)
{
	int ret;

	if (!memcmp(&daemon->leases, &daemon->policy.limits, sizeof(daemon->leases))) {
		return;
	}
	daemon->leases = daemon->policy.limits;
	ret = leases_save(daemon->config.leases, daemon->store.boot_id, &daemon->leases);
	if (ret < 0) {
		log_err("%s: %s", daemon->config.leases, strerror(-ret));
	}
}

static void follow_output(struct daemon *daemon, const struct policy_output *out)
{
	if (out->heartbeat) {
		board_heartbeat(&daemon->board);
	}
	if (out->remind) {
		events_policy(&daemon->events, daemon_time(), "reminder", "ground fault latched");
	}
	if (out->save) {
		save(daemon, SAVING_POLICY, out->save);
	}
	for (int slot = 0; slot < POLICY_SLOT_COUNT; slot++) {
		if (out->answer[slot].ended) {
			requests_answer(daemon, slot, &out->answer[slot]);
		}
	}
}

/* Let policy decide until there is nothing left to do now. Return: it saw a fresh sample. */
static bool step(struct daemon *daemon, const struct policy_command *command,
		 const struct storage_result *stored)
{
	struct policy_input in = observe(daemon);
	bool fresh = false;

	in.command = command;
	if (stored) {
		in.save_ended = true;
		in.save_result = stored->save_result;
	}
	do {
		struct policy_output *out = &daemon->out;

		policy_step(&daemon->policy, &in, daemon_time().mono_ms, out);
		recorder_add(&daemon->recorder, &in, out, daemon_time());
		fresh = fresh || out->fresh;
		save_leases(daemon);
		follow_output(daemon, out);
		in.command = NULL;
		in.ecu = false;
		in.save_ended = false;
		if (out->action != POLICY_NONE) {
			int result;

			daemon->refusal[0] = '\0';
			result = act(daemon, out);
			record(daemon, out, result);
			in.result = result < 0 ? result : 0;
		}
	} while (daemon->out.action != POLICY_NONE);
	daemon->ecu = false;
	leds_show(&daemon->leds, daemon->out.show);
	return fresh;
}

void daemon_command(struct daemon *daemon, const struct policy_command *command)
{
	daemon->refusal[0] = '\0';
	step(daemon, command, NULL);
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
	if (daemon->saving == SAVING_NONE &&
	    (resume || store_is_due(&daemon->pace, &daemon->energy, daemon_time().mono_ms))) {
		save(daemon, SAVING_ENERGY, &daemon->policy.kept);
	}
}

static int on_notice(sd_event_source *source, int fd, uint32_t events, void *ctx);

/*
 * Be woken by new events of the firmware. The descriptor is another one of the
 * same file, so that the board may close its own. A file that cannot be polled
 * is read with the meter.
 */
static void watch_events(struct daemon *daemon)
{
	int fd = fcntl(daemon->board.events, F_DUPFD_CLOEXEC, 0);

	daemon->noticed = sd_event_source_disable_unref(daemon->noticed);
	if (fd >= 0 && sd_event_add_io(daemon->event, &daemon->noticed, fd, EPOLLPRI, on_notice,
				       daemon) >= 0) {
		sd_event_source_set_io_fd_own(daemon->noticed, true);
	} else {
		close_fd(&fd);
	}
}

static void take_events(struct daemon *daemon)
{
	struct events *events = &daemon->events;
	struct qs1_event found[QS1_EVENTS];
	int count;

	daemon->events_ms = daemon_time().mono_ms;
	count = board_events(&daemon->board, found);
	if (count < 0) {
		/* A device that is going away would wake us for ever. */
		daemon->noticed = sd_event_source_disable_unref(daemon->noticed);
		return;
	}
	if (!daemon->board.running) {
		return;
	}
	if (!daemon->epoch) {
		events_resume(events);
	} else if (daemon->epoch != daemon->board.sample.epoch) {
		events_restart(events);
	}
	daemon->epoch = daemon->board.sample.epoch;
	events_firmware(events, found, count, daemon_time(), daemon->board.last_ticks);
}

static void count_trip(struct daemon *daemon, const struct event *event)
{
	int fault = !strcmp(event->kind, "trip") ? qs1_fault_find(event->cause) : -ENOENT;

	if (fault >= 0 && fault < QS1_FAULT_COUNT) {
		daemon->trips[fault]++;
	}
}

static void follow_all(struct daemon *daemon, struct control *control)
{
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		requests_follow(daemon, &control->client[i]);
	}
}

/* New events: to the log, to the clients that follow, and to the store. */
static void publish_events(struct daemon *daemon)
{
	struct events *events = &daemon->events;
	char text[RING_RECORD_MAX];
	int length;

	if (daemon->events_reported != events->newest) {
		while (daemon->events_reported < events->newest) {
			const struct event *event = events_get(events, ++daemon->events_reported);

			if (event) {
				count_trip(daemon, event);
				reporter_event(event);
			}
		}
		follow_all(daemon, &daemon->control);
		follow_all(daemon, &daemon->radio);
	}
	length = daemon->appending
			 ? 0
			 : store_next_events(&daemon->pace, events, daemon_time().mono_ms, text);
	if (length > 0) {
		daemon->appending = true;
		daemon->appending_events = events->newest;
		storage_append(&daemon->storage, text, length, daemon_time());
	}
}

static int on_notice(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)source;
	(void)fd;
	(void)events;
	take_events(ctx);
	publish_events(ctx);
	return 0;
}

static void note_save_error(struct daemon *daemon, int result)
{
	if (result < 0 && result != daemon->save_error) {
		events_policy(&daemon->events, daemon_time(), "failure", "store: %s",
			      strerror(-result));
	}
	daemon->save_error = result;
}

void daemon_take_stored(struct daemon *daemon)
{
	struct storage_result result = storage_take(&daemon->storage);
	enum saving whose = daemon->saving;

	daemon->storage_result = result;
	if (result.appended) {
		daemon->appending = false;
		if (!result.append_result) {
			daemon->pace.events_stored = daemon->appending_events;
		}
	}
	if (result.saved) {
		daemon->saving = SAVING_NONE;
		if (!result.save_result) {
			daemon->pace.energy = daemon->saving_energy;
		}
		note_save_error(daemon, result.save_result);
		step(daemon, NULL, whose == SAVING_POLICY ? &result : NULL);
	}
	control_resume(&daemon->control);
	control_resume(&daemon->radio);
	publish_events(daemon);
}

static int on_stored(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	(void)source;
	(void)fd;
	(void)events;
	daemon_take_stored(ctx);
	return 0;
}

static void write_metrics(struct daemon *daemon)
{
	const char *path = daemon->config.metrics;
	int64_t now = daemon_time().mono_ms;
	char *text __cleanup(free_ptr) = NULL;
	size_t n;

	if (!path[0] || now < daemon->metrics_ms) {
		return;
	}
	daemon->metrics_ms = now + DAEMON_METRICS_MS;
	text = metrics_render(daemon, &n);
	if (text && n < REPORTER_METRICS_SIZE) {
		reporter_metrics(path, text, n);
	}
}

static void take_change(void *ctx, const char *name, const char *from, const char *to)
{
	struct daemon *daemon = ctx;
	const char *effect = !strcmp(name, "metrics")	? ""
			     : !strcmp(name, "profile") ? ", but this unit keeps its profile"
							: ", after a restart";

	events_policy(&daemon->events, daemon_time(), "reload", "%s: '%.48s' becomes '%.48s'%s",
		      name, from, to, effect);
}

/* A wrong configuration changes nothing. Only a command, which is recorded, changes the profile. */
void daemon_reload(struct daemon *daemon)
{
	struct qs1_profile profile;
	struct config config;
	char err[QS1_PROFILE_ERR_SIZE];

	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, daemon_time().mono_ms * 1000);
	if (config_load(daemon->config_path, &config, err, sizeof(err)) < 0 ||
	    config_profile(&config, &profile, err, sizeof(err)) < 0) {
		events_policy(&daemon->events, daemon_time(), "failure", "reload: %s", err);
	} else {
		config_changes(&daemon->config, &config, take_change, daemon);
		strcpy(daemon->config.metrics, config.metrics);
		daemon->metrics_ms = 0;
	}
	sd_notify(0, "READY=1");
}

static void notify_systemd(struct daemon *daemon, bool alive)
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
	if (daemon->status_state == daemon->out.state && now < daemon->status_ms) {
		return;
	}
	daemon->status_state = daemon->out.state;
	daemon->status_ms = now + DAEMON_STATUS_MS;
	if (daemon->board.running) {
		sd_notifyf(0, "STATUS=%s, %.0f W, profile %s", qs1_state_name(daemon->out.state),
			   daemon->board.sample.meter[BOARD_GRID_P],
			   daemon->policy.kept.profile.name);
	} else {
		sd_notify(0, daemon->board.bound ? "STATUS=waiting for the firmware"
						 : "STATUS=waiting for the driver");
	}
}

/*
 * One period. The watchdog is fed by a fresh sample and a decision on it, or by
 * the certainty that there is no inverter to protect.
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
		watch_events(daemon);
	}
	if (!ret) {
		count_energy(daemon);
	}
	fresh = step(daemon, NULL, NULL);
	if (daemon->board.bound && now - daemon->events_ms >= DAEMON_EVENTS_MS) {
		take_events(daemon);
	}
	publish_events(daemon);
	write_metrics(daemon);
	notify_systemd(daemon, fresh || !daemon->board.running);
}

static int on_timer(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	uint64_t expirations;

	(void)source;
	(void)events;
	if (read(fd, &expirations, sizeof(expirations)) > 0) {
		tick(ctx);
	}
	return 0;
}

/* A timerfd keeps its period even if a step takes long, and uses the monotonic clock. */
static int start_timer(struct daemon *daemon)
{
	const struct itimerspec period = {
		.it_interval.tv_nsec = DAEMON_PERIOD_MS * 1000000,
		.it_value.tv_nsec = 1,
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int ret;

	if (fd < 0 || timerfd_settime(fd, 0, &period, NULL) < 0) {
		return -errno;
	}
	ret = sd_event_add_io(daemon->event, &daemon->timer, fd, EPOLLIN, on_timer, daemon);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	sd_event_source_set_io_fd_own(daemon->timer, true);
	return sd_event_source_set_priority(daemon->timer, SD_EVENT_PRIORITY_IMPORTANT);
}

static int start_sources(struct daemon *daemon, const struct daemon_setup *setup)
{
	int ret = start_timer(daemon);

	if (ret >= 0) {
		ret = sd_event_add_io(daemon->event, &daemon->stored, daemon->storage.fd, EPOLLIN,
				      on_stored, daemon);
	}
	if (ret >= 0) {
		ret = control_open(&daemon->control, daemon->event, setup->control_fd,
				   requests_line, daemon);
	}
	if (ret >= 0) {
		ret = control_open(&daemon->radio, daemon->event, setup->radio_fd, requests_line,
				   daemon);
	}
	return ret;
}

static void stop_sources(struct daemon *daemon)
{
	daemon->timer = sd_event_source_disable_unref(daemon->timer);
	daemon->stored = sd_event_source_disable_unref(daemon->stored);
	daemon->noticed = sd_event_source_disable_unref(daemon->noticed);
	control_close(&daemon->control);
	control_close(&daemon->radio);
}

static void load_label(struct daemon *daemon)
{
	char text[2 * LABEL_TEXT_SIZE];
	const char *path = daemon->config.label;
	int found = sysfs_read_at(-1, path, text, sizeof(text));
	int ret = pairing_init(&daemon->pairing, found < 0 ? NULL : text);

	if (found < 0 && found != -ENOENT) {
		ret = found;
	}
	if (ret < 0) {
		log_err("%s: expected the text of the label: %s", path, strerror(-ret));
	}
	sodium_memzero(text, sizeof(text));
}

int daemon_new(const struct daemon_setup *setup, sd_event *event, struct daemon **ret_daemon)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	char err[QS1_PROFILE_ERR_SIZE];
	int ret;

	if (!daemon) {
		return -ENOMEM;
	}
	daemon->event = sd_event_ref(event);
	daemon->config = *setup->config;
	daemon->config_path = setup->config_path;
	daemon->start_ms = daemon_time().mono_ms;
	board_init(&daemon->board, setup->root);
	leds_init(&daemon->leds, setup->root);
	load_label(daemon);
	ret = daemon_load(daemon, setup, err, sizeof(err));
	if (ret < 0) {
		log_err("%s", err);
		store_close(&daemon->store);
		goto fail;
	}
	daemon->events_reported = daemon->pace.events_stored;
	ret = reporter_start(setup->output);
	if (ret >= 0) {
		ret = storage_start(&daemon->storage, &daemon->store);
	}
	if (ret < 0) {
		log_err("cannot start a thread: %s", strerror(-ret));
		store_close(&daemon->store);
		goto fail;
	}
	ret = start_sources(daemon, setup);
	if (ret < 0) {
		log_err("cannot start: %s", strerror(-ret));
		daemon_free(daemon);
		return ret;
	}
	*ret_daemon = daemon;
	return 0;

fail:
	sd_event_unref(daemon->event);
	free(daemon);
	return ret;
}

/* Wait for the storage thread, and store the last energy and events. */
static void store_rest(struct daemon *daemon)
{
	char text[RING_RECORD_MAX];
	int length;

	storage_stop(&daemon->storage);
	if (daemon->energy_valid || !daemon->out.stored) {
		struct persist persist = {
			.policy = daemon->policy.kept,
			.energy = daemon->energy,
			.boots = daemon->store.boots,
		};

		memcpy(persist.unit, daemon->unit, MARK_ID_SIZE);
		store_save(&daemon->store, &persist, daemon_time(),
			   daemon->out.stored ? 1 : RING_FILES);
	}
	/* The last events are stored whether or not it is their turn. */
	daemon->pace.events_credit_ms -= STORE_EVENTS_MS;
	if (daemon->appending) {
		daemon->pace.events_stored = daemon->appending_events;
	}
	length = store_next_events(&daemon->pace, &daemon->events, daemon_time().mono_ms, text);
	if (length > 0) {
		store_append_events(&daemon->store, text, length, daemon_time());
	}
	store_close(&daemon->store);
}

/*
 * The heartbeat ends here: unless another daemon takes over, the firmware stops
 * production after host_timeout_s, and the LEDs show this already.
 */
void daemon_free(struct daemon *daemon)
{
	sd_notify(0, "STOPPING=1");
	stop_sources(daemon);
	leds_show(&daemon->leds, daemon->out.show == POLICY_SHOW_GROUND_FAULT
					 ? POLICY_SHOW_GROUND_FAULT
					 : POLICY_SHOW_NOT_PRODUCING);
	store_rest(daemon);
	reporter_stop();
	board_close(&daemon->board);
	for (int slot = 0; slot < POLICY_SLOT_COUNT; slot++) {
		json_object_put(daemon->asked[slot].id);
	}
	sd_event_unref(daemon->event);
	free(daemon);
}
