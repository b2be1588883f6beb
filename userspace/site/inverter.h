/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A simulated inverter without a kernel: the real policy, the real codec and the real seal,
 * between a radio on the air and a firmware. It replaces qs1d: the same requests by radio have
 * the same outcomes and answers. A save succeeds at once, but is lost when the process ends.
 *
 *	air -- node -- inverter: pairing, command, policy -- firmware -- plant
 */
#ifndef QS1_SITE_INVERTER_H
#define QS1_SITE_INVERTER_H

#include <qs1/abi.h>

#include "energy.h"
#include "join.h"
#include "node.h"
#include "pairing.h"
#include "policy.h"

#define INVERTER_EVENTS 64

/**
 * struct inverter_firmware - how the firmware is reached; as qs1_core_*() of the control core
 * @run: number of the run of the firmware, from 1; 0 while it does not compute
 * @command: enum qs1_result, or a negative errno without an answer
 * @angle: of the loop at a time of the air, degrees, and the frequency; false without a grid
 */
struct inverter_firmware {
	uint32_t (*run)(void *ctx);
	int (*command)(void *ctx, enum qs1_op op, uint32_t arg, int32_t value, int32_t *ret_value);
	void (*telemetry)(void *ctx, struct qs1_telemetry *telemetry);
	bool (*event)(void *ctx, struct qs1_event *event);
	int32_t (*param)(void *ctx, enum qs1_param id);
	void (*heartbeat)(void *ctx);
	bool (*angle)(void *ctx, uint64_t us, double *ret_deg, double *ret_hz);
};

/**
 * struct inverter_config - initial settings of a unit
 * @serial, @code: its label
 * @profile: grid profile that is in force until another is commanded
 * @stock_ms: time after power-up for which stock ECUs may pair with it and command it, while it is
 *            not paired: COMMAND_STOCK_WINDOW_MS, 0 for none, INT64_MAX for one that stands for a
 *            stock unit
 * @start_wall_ms: wall-clock time when the air's time is 0
 * @version: of its software, major * 1000 + minor
 */
struct inverter_config {
	struct serial serial;
	uint8_t code[INSTALL_CODE_BYTES];
	struct qs1_profile profile;
	int64_t stock_ms;
	int64_t start_wall_ms;
	uint32_t version;
};

/* The client that waits for the end of a command. */
struct inverter_asked {
	bool waits;
	bool stock;
	uint16_t peer;
	uint8_t id;
	enum policy_command_kind kind;
	enum own_type reply;
	struct seal_key key;
	uint32_t counter;
};

/**
 * struct inverter - the owner's memory, which does not move
 * @out: policy's last output
 * @telemetry: last sample
 * @energy: totals over the runs of the firmware
 * @refused: commands by radio with a wrong seal
 * @dead: Linux does not run: no policy, no heartbeat
 */
struct inverter {
	struct inverter_config config;
	const struct inverter_firmware *firmware;
	void *ctx;
	struct node node;
	struct join_unit join;
	struct pairing pairing;
	struct policy policy;
	struct policy_output out;
	struct qs1_telemetry telemetry;
	struct energy energy;
	uint64_t refused;
	bool dead;
	struct inverter_asked asked[POLICY_SLOT_COUNT];
	struct policy_command command;
	bool commanded;
	uint32_t run;
	uint32_t sample;
	uint32_t reading;
	uint64_t answered; /* requests that policy knows of */
	int64_t start_ms;
	int64_t due_ms;
	uint32_t newest;
	struct own_event event[INVERTER_EVENTS];
};

/**
 * inverter_init() - a unit that has just been switched on
 * @radio: its address on the air
 *
 * Return: number of its radio, or -ENOMEM, -EIO.
 */
int inverter_init(struct inverter *inverter, struct air *air, const struct air_radio_config *radio,
		  const struct inverter_config *config, const struct inverter_firmware *firmware,
		  void *ctx);

/**
 * inverter_profile() - a grid profile by its name, from this tree or from the machine
 * @err: on failure the reason
 *
 * Return: 0 or a negative errno.
 */
int inverter_profile(const char *name, struct qs1_profile *ret_profile, char *err, size_t size);

/**
 * inverter_label() - serial number and install code of simulated unit @number, from 1
 * @code: INSTALL_CODE_BYTES bytes that a test can know: the number, counted on
 */
void inverter_label(int number, struct serial *ret_serial, uint8_t *code);

/* Let policy decide up to now. To be called each POLICY_TICK_MS of the air's time. */
void inverter_run(struct inverter *inverter, uint64_t now_us);

/* A command of a person at the unit; false while another one of its kind is under way. */
bool inverter_command(struct inverter *inverter, const struct policy_command *command);

#endif /* QS1_SITE_INVERTER_H */
