/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon has three threads. Each owns its state:
 *
 * - protection, one sd-event loop: reads the board, lets policy decide, carries
 *   out what it decided, writes the heartbeat, serves the sockets. It owns
 *   struct daemon and waits for nothing but the driver.
 * - storage (storage.h): owns the store. It gets data that must not be lost, one
 *   item at a time, and reports the end of each write through an eventfd.
 * - reporting (reporter.h): journal, log and metrics. It gets messages that may be
 *   lost through a bounded queue.
 */
#ifndef QS1D_DAEMON_H
#define QS1D_DAEMON_H

#include <stdbool.h>

#include <systemd/sd-event.h>

#include "../policy/policy.h"
#include "board.h"
#include "config.h"
#include "control.h"
#include "../policy/energy.h"
#include "events.h"
#include "leases.h"
#include "leds.h"
#include "metrics.h"
#include "../link/pairing.h"
#include "recorder.h"
#include "reporter.h"
#include "storage.h"

/* The period of the decisions, and of the slower things. */
#define DAEMON_PERIOD_MS POLICY_TICK_MS
#define DAEMON_METER_MS 1000
#define DAEMON_WATCHDOG_MS 1000
#define DAEMON_EVENTS_MS 1000
#define DAEMON_STATUS_MS 10000
#define DAEMON_METRICS_MS 10000
/* Without an inverter the service counts as started after so long. */
#define DAEMON_READY_MS 10000

/**
 * struct daemon_setup - what a daemon works with
 * @config: configuration
 * @config_path: where it was read from, NULL for its usual place
 * @root: where sysfs is mounted
 * @control_fd: listening socket of the operators; stays the caller's
 * @radio_fd: listening socket for the radio's end and for collectors, -1 for none
 * @io: ring_io_files but for tests
 * @io_ctx: handed to @io
 * @output: reporter_journal but for tests
 */
struct daemon_setup {
	const struct config *config;
	const char *config_path;
	const char *root;
	int control_fd;
	int radio_fd;
	const struct ring_io *io;
	void *io_ctx;
	const struct reporter_output *output;
};

/**
 * struct asked - the client of an open command
 * @client: NULL when no client waits
 * @serial: the connection's
 * @id: of the request, or NULL
 * @fault: POLICY_COMMAND_CLEAR: which
 * @kind: of the command
 * @sealed: the answer is to be sealed with @key for @counter
 */
struct asked {
	struct control_client *client;
	uint64_t serial;
	struct json_object *id;
	unsigned int fault;
	enum policy_command_kind kind;
	bool sealed;
	struct seal_key key;
	uint32_t counter;
};

/* Whose save is under way. */
enum saving {
	SAVING_NONE,
	SAVING_ENERGY,
	SAVING_POLICY,
};

/**
 * struct daemon - the protection thread's state
 * @event: the loop
 * @config: in force
 * @board: the inverter
 * @policy: what decides, and its last output
 * @leases: limits as they are in their file
 * @recorder: policy's last decisions
 * @energy: totals; valid once it has met this boot's counters
 * @store: of the storage thread while that runs
 * @pace: state of the store, as far as it is known here
 * @unit: names the unit
 * @save_error: last result of a save of energy, logged once
 * @damaged: blocks of the store that held no record at the start
 * @events: event log
 * @trips: since the start, by code
 * @control: socket of the operators
 * @radio: socket of the radio's end and of collectors
 * @pairing: of ECUs
 * @asked: clients of the open commands
 * @refusal: the firmware's words for the last refusal
 * @ecu: an ECU has asked for a report since the last step
 * @failed: action that failed last, and with what: recorded once
 */
struct daemon {
	sd_event *event;
	sd_event_source *timer;
	sd_event_source *stored;
	sd_event_source *noticed;
	struct config config;
	const char *config_path;
	struct board board;
	struct leds leds;
	struct policy policy;
	struct policy_output out;
	struct limits leases;
	struct recorder recorder;
	struct energy energy;
	bool energy_valid;
	struct store store;
	struct store_pace pace;
	struct storage storage;
	struct storage_result storage_result;
	enum saving saving;
	struct energy saving_energy;
	int save_error;
	bool appending;
	uint64_t appending_events;
	unsigned int damaged;
	uint8_t unit[MARK_ID_SIZE];
	struct events events;
	uint64_t events_reported;
	uint64_t trips[QS1_FAULT_COUNT];
	int64_t events_ms;
	int64_t meter_ms;
	struct control control;
	struct control radio;
	struct pairing pairing;
	struct asked asked[POLICY_SLOT_COUNT];
	char refusal[128];
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
	int64_t watchdog_ms;
	enum qs1_state status_state;
};

/**
 * daemon_new() - start a daemon in a loop
 * @ret_daemon: untouched on failure
 *
 * Return: 0; -EBUSY when another one has the store; -EINVAL when the unit needs
 * the configuration's profile and it is wrong; another negative errno. The
 * reason is logged.
 */
int daemon_new(const struct daemon_setup *setup, sd_event *event, struct daemon **ret_daemon);

/* Store the last state and events, show "not producing", and free the daemon. */
void daemon_free(struct daemon *daemon);

/* Read the configuration again. */
void daemon_reload(struct daemon *daemon);

/* Let policy begin a command of a slot that is free. */
void daemon_command(struct daemon *daemon, const struct policy_command *command);

/* Take what the storage thread has done. */
void daemon_take_stored(struct daemon *daemon);

/* Monotonic and wall-clock time. */
struct event_time daemon_time(void);

/**
 * daemon_load() - the kept state, or the fault that it is lost
 * @err: on failure the reason
 *
 * Return: 0 with an open store and policy ready; otherwise as daemon_new().
 */
int daemon_load(struct daemon *daemon, const struct daemon_setup *setup, char *err, size_t size);

/* One line of a socket, see Documentation/protocol.md. @ctx is the daemon. */
enum control_taken requests_line(void *ctx, struct control_client *client, const char *line);

/* Answer the client of a command that has ended. */
void requests_answer(struct daemon *daemon, enum policy_slot slot,
		     const struct policy_answer *answer);

/* Send new events to a client that follows. */
void requests_follow(struct daemon *daemon, struct control_client *client);

/* Add a number, rounded to the resolution of its sensor; null if it is not finite. */
void report_number(struct json_object *object, const char *name, double value, int decimals);

/* The status object, which the caller puts. */
struct json_object *report_status(struct daemon *daemon);

#endif /* QS1D_DAEMON_H */
