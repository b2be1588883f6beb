// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1-site: inverters on one feeder, each a control core with its policy and its radio, and the
 * air between them and modems on pseudo terminals. scripts/site runs it: it reads requests from
 * standard input, one a line, and answers each with one line.
 *
 *	do STATEMENT   a statement of the scenario language, now      ok | error: ...
 *	air WORDS      a word of the radio                            ok | error: ...
 *	status         units, network and air                         JSON
 *	summary        of the feeder so far                           JSON
 *	quit                                                          ok
 *
 * The first line that it prints is JSON: units with their labels, and the modems. Its time is
 * that of service_clock.h, so that a site may run at another pace than real time.
 *
 * With the options of vboard, the first unit is a whole board. The site then waits for "go" on the
 * board's control socket, and its radio is the guest's: a program at a modem.
 */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "console.h"
#include "feeder.h"
#include "inverter.h"
#include "medium.h"
#include "join.h"
#include "service_clock.h"
#include "util.h"
#include "whole.h"

#define FIRST_ADDRESS 0x1001
#define WORDS 6
#define ERR_SIZE 512
/* Feeder and air advance in steps of this length, us; hosts are served in between. */
#define SLICE_US 5000
/* The most that is simulated before the console is served. */
#define TURN_US 200000
#define EVENTS 32
/* Behind by more than this, the site gives up the time that it has lost, us. */
#define SLIP_US 1000000

/* Delays before a unit connects, which "skip enter-service" leaves out once. */
static const enum qs1_param waits[] = { QS1_PARAM_ES_DELAY_S, QS1_PARAM_ES_RANDOM_S };

/**
 * struct unit - one inverter: its number on the feeder, and what stands for its Linux
 * @config: label, profile
 * @set, @value: parameters that the scenario sets before time 0
 * @skip: of the next start, the waiting time is left out
 * @kept: values of waits[], to put back
 */
struct unit {
	int number;
	struct inverter inverter;
	struct inverter_config config;
	bool set[QS1_PARAM_COUNT];
	int32_t value[QS1_PARAM_COUNT];
	bool running;
	bool skip;
	bool skipping;
	int32_t kept[ARRAY_SIZE(waits)];
	struct qs1_event event[EVENTS];
	unsigned int events_in;
	unsigned int events_out;
};

static struct {
	struct feeder *feeder;
	struct medium medium;
	struct unit unit[FEEDER_UNITS_MAX];
	int units;
	struct whole whole; /* the first unit, with --shm */
	bool running;
	uint64_t start_us;
	uint64_t now_us;
	uint64_t slip_us;
	uint64_t step_us;
	bool ended;
} site;

static struct {
	const char *scenario;
	const char *profile;
	const char *folder;
	const char *capture;
	uint8_t ecu[6];
	int modems;
	struct board_config board;
	enum modem_chip chip;
	uint64_t seed;
} setting = {
	.profile = "ieee1547-2018-cat3",
	.modems = 1,
	.chip = MODEM_CC2652,
	.seed = 1,
	.ecu = { 0x21, 0x60, 0x00, 0x00, 0x00, 0x01 },
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* --- the unit's firmware is the feeder's control core --- */

static uint32_t core_run(void *ctx)
{
	const struct unit *unit = ctx;

	return feeder_computes(site.feeder, unit->number) ? feeder_boots(site.feeder, unit->number)
							  : 0;
}

static int core_command(void *ctx, enum qs1_op op, uint32_t arg, int32_t value, int32_t *ret)
{
	struct unit *unit = ctx;

	if (op == QS1_OP_ARM && unit->skip) {
		unit->skip = false;
		unit->skipping = true;
		for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
			int32_t ignored;

			unit->kept[i] = feeder_param(site.feeder, unit->number, waits[i]);
			feeder_command(site.feeder, unit->number, QS1_OP_SET_PARAM, waits[i], 0,
				       &ignored);
		}
	}
	return feeder_command(site.feeder, unit->number, op, arg, value, ret);
}

static void core_telemetry(void *ctx, struct qs1_telemetry *telemetry)
{
	const struct unit *unit = ctx;

	feeder_telemetry(site.feeder, unit->number, telemetry);
}

static bool core_event(void *ctx, struct qs1_event *event)
{
	struct unit *unit = ctx;

	if (unit->events_out == unit->events_in) {
		return false;
	}
	*event = unit->event[unit->events_out++ % EVENTS];
	return true;
}

static int32_t core_param(void *ctx, enum qs1_param id)
{
	const struct unit *unit = ctx;

	return feeder_param(site.feeder, unit->number, id);
}

static void core_heartbeat(void *ctx)
{
	const struct unit *unit = ctx;

	feeder_heartbeat(site.feeder, unit->number);
}

/* Feeder and air advance in turn, so the PLL's angle may be up to one slice off in time. */
static bool core_angle(void *ctx, uint64_t us, double *ret_deg, double *ret_hz)
{
	const struct unit *unit = ctx;
	double deg;

	if (!feeder_angle(site.feeder, unit->number, &deg, ret_hz)) {
		return false;
	}
	*ret_deg = marks_turn_back(deg, *ret_hz, feeder_time(site.feeder) - (double)us * 1e-6);
	return true;
}

static const struct inverter_firmware core_firmware = { core_run,   core_command, core_telemetry,
							core_event, core_param,	  core_heartbeat,
							core_angle };

/* --- Linux's part in the scenario --- */

/* A command of a person at the unit, or a setting before it runs. */
static int give(struct unit *unit, const struct policy_command *command, char *err, size_t size)
{
	if (!inverter_command(&unit->inverter, command)) {
		snprintf(err, size, "another command of unit %d is under way", unit->number);
		return -EBUSY;
	}
	return 0;
}

static int op_profile(void *ctx, const char *name, char *err, size_t size)
{
	struct policy_command command = { .kind = POLICY_COMMAND_PROFILE };
	struct unit *unit = ctx;
	int ret = inverter_profile(name, &command.profile, err, size);

	if (ret < 0) {
		return ret;
	}
	if (unit->running) {
		return give(unit, &command, err, size);
	}
	unit->config.profile = command.profile;
	return 0;
}

static int op_set(void *ctx, const char *name, const char *value, char *err, size_t size)
{
	struct policy_command command = { .kind = POLICY_COMMAND_SET };
	struct unit *unit = ctx;
	int id = qs1_param_find(name);
	int ret;

	if (id < 0) {
		snprintf(err, size, "expected the name of a parameter, found '%.64s'", name);
		return -ENOENT;
	}
	ret = qs1_param_parse(id, value, &command.value, err, size);
	if (ret < 0) {
		return ret;
	}
	command.param = (enum qs1_param)id;
	if (unit->running) {
		return give(unit, &command, err, size);
	}
	unit->set[id] = true;
	unit->value[id] = command.value;
	return 0;
}

static int op_command(void *ctx, const char *words, char *err, size_t size)
{
	struct policy_command command = { .kind = !strcmp(words, "shutdown") ? POLICY_COMMAND_STOP
						  : !strcmp(words, "start")  ? POLICY_COMMAND_START
									     : POLICY_COMMAND_CLEAR,
					  .fault = QS1_FAULT_GFDI };

	return give(ctx, &command, err, size);
}

static int op_host(void *ctx, bool alive, char *err, size_t size)
{
	struct unit *unit = ctx;

	(void)err;
	(void)size;
	unit->inverter.dead = !alive;
	return 0;
}

/* Policy sees the new run of the firmware, and puts all in force again. */
static int op_coproc(void *ctx, const char *word, char *err, size_t size)
{
	(void)ctx;
	(void)word;
	(void)err;
	(void)size;
	return 0;
}

static int op_skip_enter_service(void *ctx, char *err, size_t size)
{
	struct unit *unit = ctx;

	(void)err;
	(void)size;
	unit->skip = true;
	return 0;
}

static const struct qs1_world_ops world_ops = {
	.profile = op_profile,
	.set = op_set,
	.command = op_command,
	.host = op_host,
	.coproc = op_coproc,
	.skip_enter_service = op_skip_enter_service,
};

static void on_event(void *ctx, const struct qs1_event *event)
{
	struct unit *unit = ctx;
	int32_t ignored;

	unit->event[unit->events_in++ % EVENTS] = *event;
	if (unit->events_in - unit->events_out > EVENTS) {
		unit->events_out = unit->events_in - EVENTS;
	}
	if (!unit->skipping || event->kind != QS1_EVENT_TRANSITION ||
	    event->to != QS1_STATE_PRODUCING) {
		return;
	}
	unit->skipping = false;
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		feeder_command(site.feeder, unit->number, QS1_OP_SET_PARAM, waits[i], unit->kept[i],
			       &ignored);
	}
}

static const struct feeder_host host = { .ops = &world_ops, .event = on_event };

/* --- a whole board --- */

static bool is_whole(const struct unit *unit)
{
	return setting.board.shm && unit->number == 1;
}

static void run_due(void);

static void stop(void)
{
	stopped = 1;
}

static double slip_s(void)
{
	return (double)site.slip_us * 1e-6;
}

static const struct whole_ops whole_ops = { run_due, stop, slip_s };

/* --- set-up --- */

static int add_radio(struct unit *unit)
{
	struct air_radio_config radio = {
		.channel = JOIN_CHANNEL,
		.pan = join_pan(setting.ecu),
		.address = (uint16_t)(FIRST_ADDRESS + unit->number - 1),
	};
	int number = inverter_init(&unit->inverter, site.medium.air, &radio, &unit->config,
				   &core_firmware, unit);

	if (number < 0) {
		return number;
	}
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		unit->inverter.policy.kept.set[id] = unit->set[id];
		unit->inverter.policy.kept.value[id] = unit->value[id];
	}
	unit->running = true;
	medium_add_unit(&site.medium, number);
	return 0;
}

static int set_up_units(char *err, size_t size)
{
	struct qs1_profile profile;
	int ret = inverter_profile(setting.profile, &profile, err, size);

	for (int i = 0; ret == 0 && i < site.units; i++) {
		struct unit *unit = &site.unit[i];

		unit->number = i + 1;
		unit->config = (struct inverter_config){
			.profile = profile,
			.stock_ms = INT64_MAX,
			.start_wall_ms = clock_wall_ms(),
			.version = 1000,
		};
		inverter_label(i + 1, &unit->config.serial, unit->config.code);
		if (!is_whole(unit)) {
			feeder_host(site.feeder, i + 1, &host, unit);
		}
	}
	return ret;
}

/* Time 0, or with a whole board the wait for it. */
static int start(char *err, size_t size)
{
	if (setting.board.shm) {
		return whole_join(&site.whole, site.feeder, 1, &setting.board, &whole_ops, err,
				  size);
	}
	site.running = true;
	return feeder_start(site.feeder, err, size);
}

static int set_up(char *err, size_t size)
{
	const struct medium_config config = {
		.seed = setting.seed,
		.level_dbm = -60,
		.channel = JOIN_CHANNEL,
		.capture = setting.capture,
		.folder = setting.folder,
	};
	int ret;

	snprintf(err, size, "out of memory");
	site.feeder = feeder_new();
	ret = site.feeder ? feeder_load(site.feeder, setting.scenario, err, size) : -ENOMEM;
	if (ret < 0) {
		return ret;
	}
	site.units = feeder_units(site.feeder);
	ret = set_up_units(err, size);
	if (ret == 0) {
		ret = start(err, size);
	}
	if (ret < 0) {
		return ret;
	}
	snprintf(err, size, "the air: pseudo terminals or the capture cannot be opened");
	ret = medium_init(&site.medium, &config);
	for (int i = 0; ret >= 0 && i < setting.modems; i++) {
		ret = medium_add_port(&site.medium, setting.chip);
	}
	for (int i = 0; ret >= 0 && i < site.units; i++) {
		ret = is_whole(&site.unit[i]) ? 0 : add_radio(&site.unit[i]);
	}
	return ret < 0 ? ret : 0;
}

/* --- answers --- */

static void print(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	fflush(stdout);
}

static void add_number(struct json_object *object, const char *name, double value)
{
	char text[40];

	if (!isfinite(value)) {
		json_object_object_add(object, name, NULL);
		return;
	}
	snprintf(text, sizeof(text), "%.4f", value);
	json_object_object_add(object, name, json_object_new_double_s(value, text));
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, json_object_new_string(text));
}

static struct json_object *label_of(const struct unit *unit)
{
	struct json_object *object = json_object_new_object();
	char label[LABEL_TEXT_SIZE], serial[SERIAL_TEXT_SIZE];

	add_text(object, "serial", serial_format(serial, &unit->config.serial));
	add_text(object, "phase", feeder_phase(site.feeder, unit->number));
	add_text(object, "label", label_format(label, &unit->config.serial, unit->config.code));
	return object;
}

static void print_start(void)
{
	struct json_object *object = json_object_new_object();
	struct json_object *units = json_object_new_array();
	struct json_object *modems = json_object_new_array();

	for (int i = 0; i < site.units; i++) {
		json_object_array_add(units, label_of(&site.unit[i]));
	}
	for (int i = 0; i < site.medium.ports; i++) {
		json_object_array_add(modems, json_object_new_string(site.medium.port[i].name));
	}
	json_object_object_add(object, "units", units);
	json_object_object_add(object, "modems", modems);
	print(object);
}

static struct json_object *faults_of(uint32_t bits)
{
	struct json_object *array = json_object_new_array();

	for (int fault = 0; fault < QS1_FAULT_COUNT; fault++) {
		if (bits & QS1_FAULT_BIT(fault)) {
			json_object_array_add(array, json_object_new_string(qs1_fault_name(fault)));
		}
	}
	return array;
}

/* State that the unit's Linux has. */
static void add_inverter(struct json_object *object, const struct inverter *inverter)
{
	const struct policy_output *out = &inverter->out;

	add_text(object, "state", qs1_state_name(out->state));
	json_object_object_add(object, "faults",
			       faults_of(out->faults_active | out->faults_latched));
	json_object_object_add(object, "paired",
			       json_object_new_boolean(inverter->policy.kept.paired));
	json_object_object_add(object, "answered", json_object_new_int64(inverter->node.answered));
	json_object_object_add(object, "refused", json_object_new_int64(inverter->refused));
	add_number(object, "limit_w", inverter->telemetry.power_limit_mw / 1e3);
}

/* State of a whole board from its firmware; its Linux answers only by radio. */
static void add_whole(struct json_object *object, int unit)
{
	struct qs1_telemetry telemetry;

	feeder_telemetry(site.feeder, unit, &telemetry);
	add_text(object, "state", qs1_state_name(telemetry.status & QS1_STATUS_STATE_MASK));
	json_object_object_add(object, "faults",
			       faults_of(telemetry.faults_active | telemetry.faults_latched));
	json_object_object_add(object, "refused", json_object_new_int64(0));
	add_number(object, "limit_w", telemetry.power_limit_mw / 1e3);
}

static struct json_object *status_of(const struct unit *unit)
{
	const struct qs1_truth *truth = feeder_truth(site.feeder, unit->number);
	struct json_object *object = json_object_new_object();
	char serial[SERIAL_TEXT_SIZE];

	add_text(object, "serial", serial_format(serial, &unit->config.serial));
	if (is_whole(unit)) {
		add_whole(object, unit->number);
	} else {
		add_inverter(object, &unit->inverter);
	}
	add_number(object, "p_w", truth->p_w);
	add_number(object, "q_var", truth->q_var);
	add_number(object, "v", truth->vgrid_v);
	add_number(object, "f_hz", truth->f_hz);
	add_number(object, "energy_wh", truth->energy_wh);
	add_number(object, "temp_c", truth->tcase_c);
	return object;
}

static struct json_object *network(void)
{
	const struct feeder_network *net = feeder_network(site.feeder);
	struct json_object *object = json_object_new_object();
	struct json_object *phases = json_object_new_array();

	for (int i = 0; i < net->phases; i++) {
		struct json_object *phase = json_object_new_object();

		add_number(phase, "v", net->v_rms[i]);
		add_number(phase, "i", net->i_rms[i]);
		add_number(phase, "p_w", net->p_w[i]);
		json_object_array_add(phases, phase);
	}
	json_object_object_add(object, "phases", phases);
	add_number(object, "neutral_a", net->neutral_a);
	add_number(object, "f_hz", net->f_hz);
	add_number(object, "unbalance_pct", net->unbalance_pct);
	json_object_object_add(object, "utility", json_object_new_boolean(net->utility_closed));
	return object;
}

static void print_status(void)
{
	struct json_object *object = json_object_new_object();
	struct json_object *units = json_object_new_array();

	add_number(object, "t_s", (double)site.now_us * 1e-6);
	add_number(object, "slip_s", slip_s());
	json_object_object_add(object, "ended", json_object_new_boolean(site.ended));
	add_number(object, "end_s", feeder_end(site.feeder));
	for (int i = 0; i < site.units; i++) {
		json_object_array_add(units, status_of(&site.unit[i]));
	}
	json_object_object_add(object, "units", units);
	json_object_object_add(object, "network", network());
	print(object);
}

static void print_result(int ret, const char *err)
{
	if (ret < 0) {
		printf("error: %s\n", err);
	} else {
		puts("ok");
	}
	fflush(stdout);
}

static int do_air(char *line, char *err, size_t size)
{
	char *word[WORDS + 1] = { NULL };
	int words = 0, ret;

	for (char *at = strtok(line, " \t"); at && words < WORDS; at = strtok(NULL, " \t")) {
		word[words++] = at;
	}
	if (!words) {
		snprintf(err, size, "expected a word after 'air'");
		return -EINVAL;
	}
	ret = medium_command(&site.medium, word, err, size);
	if (ret == -ENOENT) {
		snprintf(err, size,
			 "expected one of modem, level, loss, hidden, interfere, jam, foreign; "
			 "found '%.32s'",
			 word[0]);
	}
	return ret;
}

static void do_line(char *line)
{
	char err[ERR_SIZE] = "";

	if (!site.running && strcmp(line, "quit")) {
		print_result(-EAGAIN, "the site waits for the board's Linux");
	} else if (!strncmp(line, "do ", 3)) {
		print_result(feeder_do(site.feeder, line + 3, err, sizeof(err)), err);
	} else if (!strncmp(line, "air ", 4)) {
		print_result(do_air(line + 4, err, sizeof(err)), err);
	} else if (!strcmp(line, "status")) {
		print_status();
	} else if (!strcmp(line, "summary")) {
		print(feeder_summary(site.feeder, (double)(clock_monotonic_us() - site.start_us) *
							  1e-6 / clock_rate()));
	} else if (!strcmp(line, "quit")) {
		stopped = 1;
		print_result(0, NULL);
	} else {
		print_result(-EINVAL, "expected do, air, status, summary or quit");
	}
}

/* False at the end of standard input. */
static bool read_console(void)
{
	static char text[4096];
	static struct console console = { text, sizeof(text), 0 };
	int ret = console_read(&console, do_line);

	if (ret == -EMSGSIZE) {
		print_result(ret, "line too long");
	}
	return ret != 0;
}

/* --- time --- */

/* A unit in the dark has no supply for its radio. */
static void radio_power(struct unit *unit)
{
	const struct qs1_telemetry *t = &unit->inverter.telemetry;
	bool night = (t->status & QS1_STATUS_STATE_MASK) == QS1_STATE_NIGHT;
	bool off = air_configuration(site.medium.air, unit->inverter.node.stack.radio)->off;

	if (night != off) {
		node_power(&unit->inverter.node, !night);
	}
}

static int advance(uint64_t to_us, char *err, size_t size)
{
	int ret = feeder_run(site.feeder, (double)to_us * 1e-6, err, size);

	if (ret == 1) {
		site.ended = true;
		ret = feeder_run(site.feeder, (double)to_us * 1e-6, err, size);
	}
	if (ret < 0) {
		return ret;
	}
	air_run(site.medium.air, to_us);
	site.now_us = to_us;
	if (to_us < site.step_us) {
		return 0;
	}
	site.step_us += POLICY_TICK_MS * 1000;
	for (int i = 0; i < site.units; i++) {
		if (!is_whole(&site.unit[i])) {
			inverter_run(&site.unit[i].inverter, to_us);
			radio_power(&site.unit[i]);
		}
	}
	return 0;
}

/* Simulate up to now, at most a turn. */
static int simulate(char *err, size_t size)
{
	uint64_t goal = clock_monotonic_us() - site.start_us - site.slip_us;
	uint64_t end = site.now_us + TURN_US;

	if (goal > site.now_us + SLIP_US) {
		site.slip_us += goal - site.now_us - SLIP_US;
	}
	while (site.now_us + SLICE_US <= goal && site.now_us < end) {
		int ret = advance(site.now_us + SLICE_US, err, size);

		if (ret < 0) {
			return ret;
		}
		medium_hosts(&site.medium);
	}
	return 0;
}

static int pass_time(char *err, size_t size)
{
	int ret;

	if (!setting.board.shm) {
		return simulate(err, size);
	}
	if (!whole_serve(&site.whole)) {
		return 0;
	}
	if (!site.running) {
		site.running = true;
		site.start_us = clock_monotonic_us();
	}
	ret = simulate(err, size);
	whole_end(&site.whole);
	return ret;
}

/* Called by the whole board, so that its guest does not wait for the next turn. */
static void run_due(void)
{
	char err[ERR_SIZE];

	if (pass_time(err, sizeof(err)) < 0) {
		fprintf(stderr, "qs1-site: %s\n", err);
		stop();
	}
}

static int serve(char *err, size_t size)
{
	bool console = true;

	while (!stopped) {
		struct pollfd fds[MEDIUM_PORTS + 2];
		int ports = site.medium.ports;
		uint64_t now_us = clock_monotonic_us();
		uint64_t next_us =
			SLICE_US +
			(site.running ? site.start_us + site.slip_us + site.now_us : now_us);
		double wait_us = now_us < next_us ? (double)(next_us - now_us) / clock_rate() : 0;
		int ret;

		for (int i = 0; i < ports; i++) {
			fds[i] = (struct pollfd){ .fd = site.medium.port[i].fd, .events = POLLIN };
		}
		fds[ports] = (struct pollfd){ .fd = console ? STDIN_FILENO : -1, .events = POLLIN };
		fds[ports + 1] =
			(struct pollfd){ .fd = setting.board.shm ? whole_fd(&site.whole) : -1,
					 .events = POLLIN };
		ret = poll(fds, (nfds_t)ports + 2, (int)fmin(ceil(wait_us / 1000), MODEM_LINE_MS));
		if (ret < 0 && errno != EINTR) {
			snprintf(err, size, "poll: %s", strerror(errno));
			return -errno;
		}
		medium_hosts(&site.medium);
		if (fds[ports + 1].revents) {
			whole_poll(&site.whole);
		}
		ret = pass_time(err, size);
		if (ret < 0) {
			return ret;
		}
		if (fds[ports].revents && !read_console()) {
			stopped = 1;
		}
	}
	return 0;
}

/* --- command line --- */

static const struct argp_option options[] = {
	{ "profile", 'g', "NAME", 0, "grid profile (ieee1547-2018-cat3)", 0 },
	{ "ecu", 'e', "ID", 0, "identity of the ECU, which gives the PAN (216000000001)", 0 },
	{ "modems", 'm', "N", 0, "modems, the first for the ECU (1)", 0 },
	{ "label", 'l', "N", 0, "print the label of simulated unit N and exit", 0 },
	{ "pcap", 'p', "FILE", 0, "capture of all frames", 0 },
	{ "folder", 'd', "DIR", 0, "links modem0, modem1, ... to the pseudo terminals", 0 },
	{ "seed", 's', "N", 0, "of the air's random numbers (1)", 0 },
	{ 0 },
};

static uint64_t number_of(const char *text, uint64_t max, struct argp_state *state)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (!*text || *end || value > max) {
		argp_error(state, "expected a number up to %llu, found '%s'",
			   (unsigned long long)max, text);
	}
	return value;
}

static void print_label(int number)
{
	uint8_t code[INSTALL_CODE_BYTES];
	char text[LABEL_TEXT_SIZE];
	struct serial serial;

	inverter_label(number, &serial, code);
	puts(label_format(text, &serial, code));
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &setting.board;
		return 0;
	case 'g':
		setting.profile = text;
		return 0;
	case 'e':
		if (join_ecu_parse(text, setting.ecu) < 0) {
			argp_error(state, "--ecu: expected 12 digits, found '%s'", text);
		}
		return 0;
	case 'm':
		setting.modems = (int)number_of(text, MEDIUM_PORTS, state);
		return 0;
	case 'l':
		print_label((int)number_of(text, 10000000, state));
		exit(0);
	case 'p':
		setting.capture = text;
		return 0;
	case 'd':
		setting.folder = text;
		return 0;
	case 's':
		setting.seed = number_of(text, UINT64_MAX, state);
		return 0;
	case ARGP_KEY_ARG:
		if (setting.scenario) {
			argp_error(state, "expected one scenario, found '%s' too", text);
		}
		setting.scenario = text;
		return 0;
	case ARGP_KEY_END:
		if (!setting.scenario) {
			argp_error(state, "expected a scenario");
		}
		if (setting.board.shm) {
			board_config_check(&setting.board, state);
		}
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{ &board_argp, 0, "The first unit as a whole board:", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.children = children,
		.args_doc = "SCENARIO",
		.doc = "Inverters on one feeder, with policy and radio. Requests are read from "
		       "standard input.",
	};
	char err[ERR_SIZE] = "";
	int ret;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (clock_setup() < 0) {
		return 2;
	}
	ret = set_up(err, sizeof(err));
	if (ret == 0) {
		signal(SIGINT, on_signal);
		signal(SIGTERM, on_signal);
		print_start();
		site.start_us = clock_monotonic_us();
		ret = serve(err, sizeof(err));
	}
	if (ret < 0) {
		fprintf(stderr, "qs1-site: %s\n", err);
		return 1;
	}
	if (medium_free(&site.medium) < 0) {
		fprintf(stderr, "qs1-site: %s: cannot be written\n", setting.capture);
		return 1;
	}
	ret = site.whole.board.failed;
	whole_close(&site.whole);
	feeder_free(site.feeder);
	return ret;
}
