/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon: a loop that reads the board, lets policy decide, and carries out
 * what it decided.
 */
#ifndef QS1D_DAEMON_H
#define QS1D_DAEMON_H

#include <signal.h>
#include <stdbool.h>

#include "board.h"
#include "config.h"
#include "control.h"
#include "energy.h"
#include "events.h"
#include "leds.h"
#include "metrics.h"
#include "../policy/policy.h"
#include "recorder.h"
#include "store.h"

/* The period of the loop, and of the slower things in it. */
#define DAEMON_PERIOD_MS 100
#define DAEMON_METER_MS 1000
#define DAEMON_WATCHDOG_MS 1000
#define DAEMON_EVENTS_MS 1000
#define DAEMON_STATUS_MS 10000
#define DAEMON_METRICS_MS 10000
/* Without an inverter the service counts as started after so long. */
#define DAEMON_READY_MS 10000

/**
 * struct daemon - all of it
 * @config: in force
 * @config_path: where it was read from, NULL for its usual place
 * @board: the inverter
 * @leds: the LEDs
 * @policy: what decides
 * @out: policy's last output
 * @recorder: policy's last decisions
 * @energy: totals
 * @energy_valid: @energy has met this boot's counters
 * @store: what outlives power
 * @events: event log
 * @trips: since the start, by code
 * @control: control socket
 * @refusal: the firmware's words for the last refusal
 * @command_done: policy has answered the command under way
 * @command_result: with this
 * @ecu: an ECU has asked for a report since the last step
 * @failed: action that failed last, and with what: reported once
 * @start_ms: monotonic time of the start
 */
struct daemon {
	struct config config;
	const char *config_path;
	struct board board;
	struct leds leds;
	struct policy policy;
	struct policy_output out;
	struct recorder recorder;
	struct energy energy;
	bool energy_valid;
	struct store store;
	int store_result;
	struct events events;
	uint64_t events_told;
	uint64_t trips[QS1_FAULT_COUNT];
	int64_t events_ms;
	bool events_failed;
	int64_t meter_ms;
	struct control control;
	char refusal[128];
	bool command_done;
	int command_result;
	bool ecu;
	struct {
		enum policy_action action;
		int result;
	} failed;
	uint32_t epoch;
	int64_t start_ms;
	bool ready;
	int64_t status_ms;
	int64_t metrics_ms;
	int metrics_result;
	int64_t watchdog_ms;
	enum qs1_state status_state;
};

/**
 * struct daemon_signals - set by signal handlers
 * @stop: end
 * @reload: read the configuration again; taken back when that is done
 */
struct daemon_signals {
	volatile sig_atomic_t stop;
	volatile sig_atomic_t reload;
};

/**
 * daemon_run() - until it is told to stop
 * @config: in force
 * @config_path: where it was read from, NULL for its usual place
 * @profile: of a unit that has never been given one
 * @root: where sysfs is mounted
 *
 * Return: 0, or a negative errno when it could not start; the reason is logged.
 */
int daemon_run(const struct config *config, const char *config_path,
	       const struct qs1_profile *profile, const char *root, struct daemon_signals *signals);

/**
 * daemon_command() - let policy carry out a command, to its end
 *
 * Return: 0 or a negative errno; @daemon->refusal may say more.
 */
int daemon_command(struct daemon *daemon, const struct policy_command *command);

/* Monotonic and wall-clock time. */
struct event_time daemon_time(void);

/* One line of the control socket, see Documentation/protocol.md. */
void requests_line(void *daemon, struct control_client *client, const char *line);

/* Send a client that follows the events that it has not got yet. */
void requests_follow(struct daemon *daemon, struct control_client *client);

/* The status object, which the caller puts. */
struct json_object *report_status(struct daemon *daemon);

#endif /* QS1D_DAEMON_H */
