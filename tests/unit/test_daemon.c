// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole daemon in a thread, tested through its control socket. A folder
 * imitates the driver's sysfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <sodium.h>

#include "clock.h"
#include "daemon.h"
#include "protocol.h"

#define WAIT_MS 10000
#define TESTED "0x00004008" /* self test passed, shut down */
#define PRODUCING "0x00005005"
#define GROUND_FAULT "0x0000400a"

static char folder[] = "/tmp/qs1-daemon-XXXXXX";
static char root[64];
static struct config config;
static char config_path[64];
static char metrics[64];
static pthread_t thread;
static int daemon_result;

/* The tree. */

static const char *in_root(const char *name)
{
	static char path[4][256];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", root, name);
	return path[turn];
}

/* A file of the store. */
static const char *stored(int n)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/state.%c", folder, 'a' + n);
	return path;
}

static const char *kept_events(int n)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/events.%c", folder, 'a' + n);
	return path;
}

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	/* As a whole, so that no reader sees a part of it. */
	snprintf(path, sizeof(path), "%s.part", in_root(name));
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%s\n", text);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(path, in_root(name)), 0);
}

/* An attribute that the daemon holds open: written in place. */
static void write_attribute(const char *name, const char *text)
{
	char line[128];
	int fd = open(in_root(name), O_WRONLY);
	int n = snprintf(line, sizeof(line), "%s\n", text);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, line, n, 0), n);
	assert_int_equal(ftruncate(fd, n), 0);
	close(fd);
}

static void make_folders(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s", in_root(name));
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	mkdir(path, 0700);
}

#define DEVICE "devices/qs1/"
#define METER DEVICE "qs1.iio.0/iio:device7/"
#define WAVE DEVICE "qs1.iio.0/iio:device8/"

static void make_channel(const char *type, int index, const char *label, const char *raw,
			 const char *scale)
{
	char name[128];

	snprintf(name, sizeof(name), METER "in_%s%d_label", type, index);
	write_file(name, label);
	snprintf(name, sizeof(name), METER "in_%s%d_raw", type, index);
	write_file(name, raw);
	snprintf(name, sizeof(name), METER "in_%s%d_scale", type, index);
	write_file(name, scale);
}

static void make_led(const char *name)
{
	static const char *const files[] = { "trigger", "brightness", "pattern", "repeat" };
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "class/leds/%s", name);
		make_folders(path);
		snprintf(path, sizeof(path), "class/leds/%s/%s", name, files[i]);
		write_file(path, "");
	}
	snprintf(path, sizeof(path), "class/leds/%s/max_brightness", name);
	write_file(path, "1");
}

/* Bit of the ground fault: QS1_FAULT_BIT(QS1_FAULT_GFDI). */
#define GFDI "0x00000200"
#define NO_FAULT "0x00000000"

/* Attributes that take a command. */
static const char *const commands[] = { "armed", "clear_fault", "latch_fault", "profile" };

static void write_events(void)
{
	static const struct qs1_event events[] = {
		{ .seq = 1,
		  .ticks = 2000,
		  .kind = QS1_EVENT_TRANSITION,
		  .cause = QS1_CAUSE_DC_POWER,
		  .from = QS1_STATE_OFF,
		  .to = QS1_STATE_SELF_TEST },
		{ .seq = 2,
		  .ticks = 6000,
		  .kind = QS1_EVENT_TRIP,
		  .cause = QS1_CAUSE_FAULT_BASE + QS1_FAULT_UV2,
		  .from = QS1_STATE_PRODUCING,
		  .to = QS1_STATE_PRODUCING,
		  .value = 100000 },
	};
	FILE *file = fopen(in_root(DEVICE "event_log"), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(events, sizeof(events), 1, file), 1);
	fclose(file);
}

static void make_driver(void)
{
	static const char *const labels[] = { "pv1", "pv2", "pv3", "pv4" };
	char version[16];

	make_folders(DEVICE "params");
	make_folders(METER);
	make_folders(WAVE);
	make_folders("bus/iio/devices");
	snprintf(version, sizeof(version), "%u", QS1_LAYOUT_VERSION);
	write_file(DEVICE "qs1_layout_version", version);
	write_file(DEVICE "firmware_version", "test");
	write_file(DEVICE "status_flags", TESTED);
	write_file(DEVICE "fault_flags_active", NO_FAULT);
	write_file(DEVICE "fault_flags_latched", NO_FAULT);
	write_file(DEVICE "coproc_crashes", "0");
	write_file(DEVICE "telemetry_ticks", "                   0");
	write_file(DEVICE "command_result", "ok");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		char path[64];

		snprintf(path, sizeof(path), DEVICE "%s", commands[i]);
		write_file(path, "");
	}
	write_file(DEVICE "taken", "");
	write_file(DEVICE "heartbeat", "");
	write_events();
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);
		char path[64], text[QS1_DECIMAL_SIZE];

		snprintf(path, sizeof(path), DEVICE "params/%s", desc->name);
		write_file(path, qs1_decimal_format(text, desc->def, desc->decimals));
	}
	for (int i = 0; i < 4; i++) {
		make_channel("voltage", i, labels[i], "37500", "1");
		make_channel("current", i, labels[i], "8000", "1");
		make_channel("power", i, labels[i], "300000", "1");
		make_channel("energy", i, labels[i], "3600000", "0.001000");
	}
	make_channel("voltage", 4, "dc-link", "400000", "1");
	make_channel("altvoltage", 0, "grid-rms", "240000", "1");
	write_file(METER "in_altvoltage0_frequency", "60.010");
	make_channel("current", 4, "grid-rms", "4800", "1");
	make_channel("power", 4, "grid", "1150000", "1");
	make_channel("power", 5, "grid-reactive", "-1000", "1");
	make_channel("energy", 4, "grid", "3600000", "0.001000");
	make_channel("temp", 0, "case", "25100", "1");
	write_file(METER "name", "qs1-meter");
	make_led("qs1:green:status");
	make_led("qs1:red:fault");
	symlink("../../../" METER, in_root("bus/iio/devices/iio:device7"));
	write_file(WAVE "name", "qs1-wave");
	write_file(WAVE "in_phase0_label", "pll");
	write_file(WAVE "in_phase0_raw", "16384");
	write_file(WAVE "in_phase0_scale", "0.000095874");
	symlink("../../../" WAVE, in_root("bus/iio/devices/iio:device8"));
}

static void remove_driver(void)
{
	unlink(in_root("bus/iio/devices/iio:device7"));
}

/*
 * The simulated firmware. Its clock advances 100 times a second unless it is stopped. It carries
 * out a command, and moves it from its attribute to "taken", behind the attribute's name.
 */

static pthread_t firmware_thread;
static atomic_bool firmware_ends;
static atomic_bool clock_stands;

static void put_attribute(const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/" DEVICE "%s", root, name);
	fd = open(path, O_WRONLY);
	if (fd >= 0) {
		pwrite(fd, text, strlen(text), 0);
		ftruncate(fd, strlen(text));
		close(fd);
	}
}

static void get_attribute(const char *name, char *text, size_t size)
{
	char path[256];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/" DEVICE "%s", root, name);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		n = read(fd, text, size - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
}

static void permit(bool armed)
{
	char text[32];
	uint32_t status;

	get_attribute("status_flags", text, sizeof(text));
	status = strtoul(text, NULL, 0);
	status = armed ? status | QS1_STATUS_ARMED : status & ~QS1_STATUS_ARMED;
	snprintf(text, sizeof(text), "0x%08x\n", status);
	put_attribute("status_flags", text);
}

static void carry_out(const char *attribute, const char *word)
{
	bool gfdi = !strcmp(word, "GFDI");

	if (!strcmp(attribute, "armed")) {
		permit(word[0] == '1');
	} else if (!strcmp(attribute, "latch_fault") && gfdi) {
		put_attribute("fault_flags_latched", GFDI "\n");
	} else if (!strcmp(attribute, "clear_fault") && gfdi) {
		put_attribute("fault_flags_latched", NO_FAULT "\n");
	}
}

static void take_commands(void)
{
	char word[64], taken[96];

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		get_attribute(commands[i], word, sizeof(word));
		if (!word[0]) {
			continue;
		}
		put_attribute(commands[i], "");
		snprintf(taken, sizeof(taken), "%s %s", commands[i], word);
		put_attribute("taken", taken);
		carry_out(commands[i], word);
	}
}

static void *run_firmware(void *arg)
{
	const struct timespec period = { .tv_nsec = 10000000 };
	char ticks_text[32];

	(void)arg;
	for (uint64_t ticks = QS1_TELEMETRY_TICKS; !firmware_ends; ticks += QS1_TELEMETRY_TICKS) {
		take_commands();
		snprintf(ticks_text, sizeof(ticks_text), "%20" PRIu64 "\n", ticks);
		if (!clock_stands) {
			put_attribute("telemetry_ticks", ticks_text);
		}
		nanosleep(&period, NULL);
	}
	return NULL;
}

/* The daemon. */

/**
 * struct rig - a daemon in its own thread
 * @order: the test's orders, one letter each: 'r' to reload, 's' to stop
 * @listener: sockets of operators and of the radio's end
 * @started: daemon_new() has returned
 */
static struct {
	int order[2];
	int listener[2];
	sem_t started;
	struct daemon_setup setup;
} rig;

static int on_order(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	char order;

	(void)events;
	assert_int_equal(read(fd, &order, 1), 1);
	if (order == 'r') {
		daemon_reload(ctx);
		return 0;
	}
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static void *run_daemon(void *arg)
{
	struct daemon *daemon;
	sd_event *event = NULL;

	(void)arg;
	assert_true(sd_event_new(&event) >= 0);
	daemon_result = daemon_new(&rig.setup, event, &daemon);
	sem_post(&rig.started);
	if (daemon_result >= 0) {
		sd_event_add_io(event, NULL, rig.order[0], EPOLLIN, on_order, daemon);
		sd_event_loop(event);
		daemon_free(daemon);
	}
	sd_event_unref(event);
	return NULL;
}

/* Return: the result of daemon_new(). */
static int try_to_start(void)
{
	assert_int_equal(pthread_create(&thread, NULL, run_daemon, NULL), 0);
	sem_wait(&rig.started);
	if (daemon_result < 0) {
		pthread_join(thread, NULL);
	}
	return daemon_result;
}

static void start_daemon(void)
{
	assert_int_equal(try_to_start(), 0);
}

static void order(char letter)
{
	assert_int_equal(write(rig.order[1], &letter, 1), 1);
}

static void stop_daemon(void)
{
	order('s');
	pthread_join(thread, NULL);
}

static void wait_a_moment(void)
{
	const struct timespec moment = { .tv_nsec = 20000000 };

	nanosleep(&moment, NULL);
}

/* Wait until a file starts with something. */
static void expect_file(const char *path, const char *text)
{
	char found[8192] = "";

	for (int waited = 0; waited < WAIT_MS; waited += 20) {
		int fd = open(path, O_RDONLY);
		ssize_t n = fd < 0 ? 0 : read(fd, found, sizeof(found) - 1);

		found[n > 0 ? n : 0] = '\0';
		close(fd);
		if (!strncmp(found, text, strlen(text))) {
			return;
		}
		wait_a_moment();
	}
	fail_msg("%s: expected '%s', found '%s'", path, text, found);
}

static const char *const socket_names[] = { "control", "radio" };

static struct sockaddr_un address_of(int n)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, socket_names[n]);
	return address;
}

static int listen_at(int n)
{
	struct sockaddr_un address = address_of(n);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
			       listen(fd, 64) < 0
		       ? -1
		       : fd;
}

static FILE *connect_to(int n)
{
	struct sockaddr_un address = address_of(n);
	const struct timeval timeout = { .tv_sec = 30 };
	FILE *stream;
	int fd;

	for (int waited = 0; waited < WAIT_MS; waited += 20) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
			setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
			stream = fdopen(fd, "r+");
			assert_non_null(stream);
			return stream;
		}
		close(fd);
		wait_a_moment();
	}
	fail_msg("%s: nobody listens", address.sun_path);
	return NULL;
}

static FILE *connect_client(void)
{
	return connect_to(0);
}

static struct json_object *ask_on(FILE *stream, const char *request)
{
	static char line[65536];
	struct json_object *answer;

	fprintf(stream, "%s\n", request);
	fflush(stream);
	assert_non_null(fgets(line, sizeof(line), stream));
	answer = json_tokener_parse(line);
	assert_non_null(answer);
	return answer;
}

static struct json_object *ask(const char *request)
{
	FILE *stream = connect_client();
	struct json_object *answer = ask_on(stream, request);

	fclose(stream);
	return answer;
}

static bool is_ok(struct json_object *answer)
{
	struct json_object *ok;

	assert_true(json_object_object_get_ex(answer, "ok", &ok));
	return json_object_get_boolean(ok);
}

/* An answer's member by its path, e.g. "result.meter.grid.v". */
static const char *at(struct json_object *answer, const char *path)
{
	char copy[128], *save = NULL;
	struct json_object *object = answer;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *name = strtok_r(copy, ".", &save); name; name = strtok_r(NULL, ".", &save)) {
		if (!json_object_object_get_ex(object, name, &object)) {
			return "missing";
		}
	}
	return object ? json_object_get_string(object) : "null";
}

static void expect(const char *request, const char *path, const char *value)
{
	char found[256] = "";

	for (int waited = 0; waited < WAIT_MS; waited += 20) {
		struct json_object *answer = ask(request);

		snprintf(found, sizeof(found), "%s", at(answer, path));
		json_object_put(answer);
		if (!strcmp(found, value)) {
			return;
		}
		wait_a_moment();
	}
	fail_msg("%s: expected %s '%s', found '%s'", request, path, value, found);
}

#define STATUS "{\"v\":1,\"cmd\":\"status\"}"

static void expect_error(const char *request, const char *code)
{
	struct json_object *answer = ask(request);

	assert_false(is_ok(answer));
	assert_string_equal(at(answer, "error.code"), code);
	json_object_put(answer);
}

static void expect_ok(const char *request)
{
	struct json_object *answer = ask(request);

	if (!is_ok(answer)) {
		fail_msg("%s: %s", request, json_object_to_json_string(answer));
	}
	json_object_put(answer);
}

/* A disk and a journal that tests can slow down or let fail. */

static struct {
	atomic_int sync_ms;
	atomic_int write_error;
	atomic_bool journal_hangs;
} faulty;

/* Wait until an event says something. */
static void expect_event(const char *text)
{
	for (int waited = 0; waited < WAIT_MS; waited += 20) {
		struct json_object *answer = ask("{\"v\":1,\"cmd\":\"events\"}");
		bool found = strstr(at(answer, "result"), text);

		json_object_put(answer);
		if (found) {
			return;
		}
		wait_a_moment();
	}
	fail_msg("no event says '%s'", text);
}

/* Each test begins with a unit that has never been used. */
static int set_up(void **state)
{
	(void)state;
	remove_driver();
	clock_stands = false;
	faulty.sync_ms = 0;
	faulty.write_error = 0;
	faulty.journal_hangs = false;
	for (int n = 0; n < RING_FILES; n++) {
		unlink(stored(n));
		unlink(kept_events(n));
	}
	unlink(metrics);
	unlink(config.mark);
	unlink(config.leases);
	config.metrics[0] = '\0';
	snprintf(config.profile, sizeof(config.profile), "profiles/note1.conf");
	return 0;
}

/* Tests. */

static void waits_for_the_driver_and_finds_it(void **state)
{
	(void)state;
	start_daemon();
	expect(STATUS, "result.inverter", "no driver");
	expect(STATUS, "result.meter", "null");
	expect_error("{\"v\":1,\"cmd\":\"set\",\"name\":\"power_limit_w\",\"value\":\"600\"}",
		     "ENODEV");
	make_driver();
	expect(STATUS, "result.inverter", "ok");
	expect(STATUS, "result.firmware", "test");
	expect_file(in_root(DEVICE "taken"), "armed 1");
	expect_file(in_root(DEVICE "heartbeat"), "1");
	stop_daemon();
}

static void readings_come_in_their_units(void **state)
{
	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.inverter", "ok");
	expect(STATUS, "result.meter.pv3.v", "37.500");
	expect(STATUS, "result.meter.pv1.i", "8.000");
	expect(STATUS, "result.meter.pv4.p", "300.00");
	expect(STATUS, "result.meter.pv2.energy_wh", "1.000");
	expect(STATUS, "result.meter.grid.v", "240.000");
	expect(STATUS, "result.meter.grid.i", "4.800");
	expect(STATUS, "result.meter.grid.f", "60.010");
	expect(STATUS, "result.meter.grid.p", "1150.00");
	expect(STATUS, "result.meter.grid.q", "-1.00");
	expect(STATUS, "result.meter.grid.energy_wh", "1.000");
	expect(STATUS, "result.meter.temp_c", "25.10");
	expect(STATUS, "result.meter.dc_link_v", "400.000");
	stop_daemon();
}

static void leds_show_the_state(void **state)
{
	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.leds.red", "startup");
	expect_file(in_root("class/leds/qs1:red:fault/pattern"), "1 200 1 0 0 1600 0 0");
	expect_file(in_root("class/leds/qs1:green:status/repeat"), "1");
	expect(STATUS, "result.leds.red", "blink");
	expect_file(in_root("class/leds/qs1:red:fault/pattern"), "1 500 1 0 0 500 0 0");
	write_attribute(DEVICE "status_flags", PRODUCING);
	expect(STATUS, "result.leds.green", "every-2s");
	expect_ok("{\"v\":1,\"cmd\":\"report\"}");
	expect(STATUS, "result.leds.green", "every-10s");
	expect_file(in_root("class/leds/qs1:green:status/pattern"), "1 100 1 0 0 9900 0 0");
	expect_file(in_root("class/leds/qs1:red:fault/pattern"), "0 60000 0 0");
	expect_file(in_root("class/leds/qs1:red:fault/repeat"), "-1");
	stop_daemon();
	/* After the daemon has ended, the LEDs no longer show production. */
	expect_file(in_root("class/leds/qs1:green:status/pattern"), "0 60000 0 0");
	expect_file(in_root("class/leds/qs1:red:fault/pattern"), "1 500 1 0 0 500 0 0");
}

static void ground_fault_outlives_the_daemon(void **state)
{
	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.inverter", "ok");
	write_attribute(DEVICE "fault_flags_latched", GFDI);
	write_attribute(DEVICE "status_flags", GROUND_FAULT);
	expect(STATUS, "result.faults.latched", "[ \"GFDI\" ]");
	expect_error("{\"v\":1,\"cmd\":\"start\"}", "EPERM");
	expect_file(in_root("class/leds/qs1:red:fault/pattern"), "1 60000 1 0");
	stop_daemon();

	/* The firmware has lost the latch; the daemon restores it and does not arm. */
	write_file(DEVICE "fault_flags_latched", NO_FAULT);
	write_file(DEVICE "status_flags", TESTED);
	write_file(DEVICE "taken", "");
	start_daemon();
	expect(STATUS, "result.faults.latched", "[ \"GFDI\" ]");
	expect_file(in_root(DEVICE "taken"), "latch_fault GFDI");
	expect_ok("{\"v\":1,\"cmd\":\"clear\",\"fault\":\"gfdi\"}");
	expect(STATUS, "result.faults.latched", "[ ]");
	expect_file(in_root(DEVICE "taken"), "armed 1");
	stop_daemon();
}

static void shutdown_and_settings_outlive_the_daemon(void **state)
{
	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.inverter", "ok");
	expect_ok("{\"v\":1,\"cmd\":\"stop\"}");
	expect_ok("{\"v\":1,\"cmd\":\"set\",\"name\":\"power_limit_w\",\"value\":\"1150\"}");
	expect_file(in_root(DEVICE "params/power_limit_w"), "1150");
	stop_daemon();
	write_file(DEVICE "params/power_limit_w", "1200");
	start_daemon();
	expect(STATUS, "result.shutdown", "true");
	expect_file(in_root(DEVICE "params/power_limit_w"), "1150");
	expect(STATUS, "result.set.power_limit_w", "1150");
	expect_ok("{\"v\":1,\"cmd\":\"start\"}");
	expect(STATUS, "result.shutdown", "false");
	stop_daemon();
}

static void profile_is_applied_as_a_whole_and_kept(void **state)
{
	static const char path[] = "profiles/ieee1547-2018-cat3.conf";
	struct json_object *request = json_object_new_object();
	char err[QS1_PROFILE_ERR_SIZE];
	struct qs1_profile other;

	(void)state;
	assert_int_equal(qs1_profile_load(path, &other, err, sizeof(err)), 0);
	json_object_object_add(request, "v", json_object_new_int(1));
	json_object_object_add(request, "cmd", json_object_new_string("profile-use"));
	json_object_object_add(request, "name", json_object_new_string(other.name));
	json_object_object_add(request, "values", protocol_values(&other));
	make_driver();
	start_daemon();
	expect(STATUS, "result.inverter", "ok");
	expect_ok(json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
	expect(STATUS, "result.profile", "ieee1547-2018-cat3");
	expect_file(in_root(DEVICE "params/ov1_t_s"), "13.00");
	stop_daemon();
	start_daemon();
	expect(STATUS, "result.profile", "ieee1547-2018-cat3");
	stop_daemon();
	json_object_put(request);
}

static void stale_telemetry_is_a_fault(void **state)
{
	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.inverter", "ok");
	clock_stands = true;
	expect(STATUS, "result.inverter", "no telemetry");
	expect(STATUS, "result.state", "fault");
	expect_file(in_root(DEVICE "taken"), "armed 0");
	clock_stands = false;
	expect(STATUS, "result.inverter", "ok");
	stop_daemon();
}

/* STORE_LOST keeps the unit stopped until a command clears it; a restart changes nothing. */
static void check_store_lost(void)
{
	expect(STATUS, "result.faults.latched", "[ \"STORE_LOST\" ]");
	expect_event("STORE_LOST");
	expect_error("{\"v\":1,\"cmd\":\"start\"}", "EPERM");
	expect(STATUS, "result.stored", "true");
	stop_daemon();
	start_daemon();
	expect(STATUS, "result.faults.latched", "[ \"STORE_LOST\" ]");
	expect(STATUS, "result.armed", "false");
	expect_ok("{\"v\":1,\"cmd\":\"clear\",\"fault\":\"store-lost\"}");
	expect(STATUS, "result.faults.latched", "[ ]");
	expect(STATUS, "result.armed", "true");
	stop_daemon();
	start_daemon();
	expect(STATUS, "result.faults.latched", "[ ]");
	expect(STATUS, "result.armed", "true");
}

/* A unit that was used and then stopped. */
static void use_unit(void)
{
	make_driver();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	expect_ok("{\"v\":1,\"cmd\":\"stop\"}");
	stop_daemon();
}

static void an_absent_store_is_lost(void **state)
{
	(void)state;
	use_unit();
	for (int n = 0; n < RING_FILES; n++) {
		assert_int_equal(unlink(stored(n)), 0);
	}
	start_daemon();
	check_store_lost();
	stop_daemon();
}

static void an_empty_store_is_lost(void **state)
{
	(void)state;
	use_unit();
	for (int n = 0; n < RING_FILES; n++) {
		assert_int_equal(truncate(stored(n), 0), 0);
	}
	start_daemon();
	check_store_lost();
	stop_daemon();
}

/* The mark belongs to this unit, the store to another one. */
static void a_foreign_store_is_lost(void **state)
{
	static const uint8_t other[MARK_ID_SIZE] = { 1, 2, 3 };

	(void)state;
	use_unit();
	assert_int_equal(mark_write(config.mark, other), 0);
	start_daemon();
	expect(STATUS, "result.shutdown", "false");
	check_store_lost();
	stop_daemon();
}

/* A store without a mark is valid: it is older than marks, or only the mark is lost. */
static void a_store_without_a_mark_is_accepted(void **state)
{
	(void)state;
	use_unit();
	assert_int_equal(unlink(config.mark), 0);
	start_daemon();
	expect(STATUS, "result.shutdown", "true");
	expect(STATUS, "result.faults.latched", "[ ]");
	stop_daemon();
	assert_int_equal(access(config.mark, F_OK), 0);
}

static void one_lost_copy_is_reported_and_repaired(void **state)
{
	(void)state;
	for (int lost = 0; lost < RING_FILES; lost++) {
		set_up(NULL);
		use_unit();
		assert_int_equal(unlink(stored(lost)), 0);
		start_daemon();
		expect_event("restored from the other copy");
		expect(STATUS, "result.shutdown", "true");
		expect(STATUS, "result.stored", "true");
		stop_daemon();
		assert_int_equal(unlink(stored(1 - lost)), 0);
		start_daemon();
		expect(STATUS, "result.shutdown", "true");
		expect(STATUS, "result.faults.latched", "[ ]");
		stop_daemon();
	}
}

/* A unit with a stored profile ignores a broken default profile; a first start needs it. */
static void a_wrong_default_profile_matters_to_a_first_start_only(void **state)
{
	(void)state;
	make_driver();
	snprintf(config.profile, sizeof(config.profile), "profiles/nowhere.conf");
	assert_int_equal(try_to_start(), -EINVAL);
	snprintf(config.profile, sizeof(config.profile), "profiles/note1.conf");
	start_daemon();
	expect(STATUS, "result.armed", "true");
	stop_daemon();
	snprintf(config.profile, sizeof(config.profile), "profiles/nowhere.conf");
	start_daemon();
	expect(STATUS, "result.armed", "true");
	expect(STATUS, "result.profile", "note1");
	stop_daemon();
}

static void a_damaged_store_is_lost(void **state)
{
	char garbage[2 * RING_BLOCK];

	(void)state;
	make_driver();
	memset(garbage, 'x', sizeof(garbage));
	for (int n = 0; n < RING_FILES; n++) {
		int fd = open(stored(n), O_WRONLY | O_CREAT, 0600);

		assert_int_equal(write(fd, garbage, sizeof(garbage)), sizeof(garbage));
		close(fd);
	}
	start_daemon();
	expect(STATUS, "result.inverter", "ok");
	check_store_lost();
	stop_daemon();
}

static void events_outlive_the_daemon(void **state)
{
	struct json_object *answer;
	const char *text;

	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	expect_ok("{\"v\":1,\"cmd\":\"stop\"}");
	stop_daemon();
	start_daemon();
	expect(STATUS, "result.inverter", "ok");
	answer = ask("{\"v\":1,\"cmd\":\"events\"}");
	text = at(answer, "result");
	assert_non_null(strstr(text, "forbid production"));
	/* The firmware's event is still in its ring, but only once in the log. */
	text = strstr(text, "UV2");
	assert_non_null(text);
	assert_null(strstr(text + 1, "UV2"));
	json_object_put(answer);
	stop_daemon();
}

static void events_are_kept_and_followed(void **state)
{
	static char line[65536];
	struct json_object *answer;
	FILE *stream;

	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	stream = connect_client();
	answer = ask_on(stream, "{\"v\":1,\"id\":7,\"cmd\":\"events\",\"follow\":true}");
	assert_true(is_ok(answer));
	assert_string_equal(at(answer, "id"), "7");
	json_object_put(answer);
	expect_ok("{\"v\":1,\"cmd\":\"stop\"}");
	do {
		assert_non_null(fgets(line, sizeof(line), stream));
	} while (!strstr(line, "forbid production"));
	fclose(stream);
	stop_daemon();
}

static void wrong_requests_get_an_error(void **state)
{
	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.inverter", "ok");
	expect_error("hello", "EINVAL");
	expect_error("[]", "EINVAL");
	expect_error("{}", "EPROTO");
	expect_error("{\"v\":2,\"cmd\":\"status\"}", "EPROTO");
	expect_error("{\"v\":true,\"cmd\":\"status\"}", "EPROTO");
	expect_error("{\"v\":\"1\",\"cmd\":\"status\"}", "EPROTO");
	expect_error("{\"v\":1.0,\"cmd\":\"status\"}", "EPROTO");
	expect_error("{'v':1,'cmd':'status'}", "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"status\"} true", "EINVAL");
	expect_error("{\"v\":1,\"cmd\":[\"status\"]}", "ENOENT");
	expect_error("{\"v\":1,\"cmd\":\"events\",\"follow\":\"no\"}", "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"events\",\"follow\":1}", "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"events\",\"from\":\"1\"}", "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"clear\",\"fault\":\"uv2\"}", "EINVAL");
	expect_error("{\"v\":1}", "ENOENT");
	expect_error("{\"v\":1,\"cmd\":\"reboot\"}", "ENOENT");
	expect_error("{\"v\":1,\"cmd\":\"clear\"}", "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"clear\",\"fault\":\"no\"}", "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"set\",\"name\":\"no\",\"value\":\"1\"}", "ENOENT");
	expect_error("{\"v\":1,\"cmd\":\"set\",\"name\":\"es_delay_s\",\"value\":\"601\"}",
		     "ERANGE");
	expect_error("{\"v\":1,\"cmd\":\"set\",\"name\":\"es_delay_s\",\"value\":60}", "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"profile-use\",\"name\":\"x\"}", "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"profile-use\",\"name\":\"x\",\"values\":{}}", "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"profile-use\",\"name\":\"../x\",\"values\":{}}", "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"events\",\"from\":0}", "EINVAL");
	stop_daemon();
}

/* One client sends without end and another never reads; a third is still served. */
static void hostile_clients_are_dropped(void **state)
{
	FILE *endless, *deaf;

	(void)state;
	make_driver();
	start_daemon();
	endless = connect_client();
	deaf = connect_client();
	for (int i = 0; i < 2 * CONTROL_LINE; i++) {
		putc('x', endless);
	}
	fflush(endless);
	assert_int_equal(getc(endless), EOF);
	for (int i = 0; i < 2000 && fprintf(deaf, "%s\n", STATUS) > 0 && !fflush(deaf); i++) {
	}
	expect(STATUS, "result.inverter", "ok");
	fclose(endless);
	fclose(deaf);
	stop_daemon();
}

static void sleep_ms(int ms)
{
	for (; ms > 0; ms -= 10) {
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
}

static int faulty_open(void *ctx, const char *path, size_t size)
{
	return ring_io_files.open(ctx, path, size);
}

static int faulty_read(void *ctx, int file, void *buf, size_t n, size_t at)
{
	return ring_io_files.read(ctx, file, buf, n, at);
}

static int faulty_write(void *ctx, int file, const void *buf, size_t n, size_t at)
{
	return faulty.write_error ?: ring_io_files.write(ctx, file, buf, n, at);
}

static int faulty_sync(void *ctx, int file)
{
	/* Until it is made fast again. */
	for (int ms = 0; ms < faulty.sync_ms; ms += 10) {
		sleep_ms(10);
	}
	return ring_io_files.sync(ctx, file);
}

static void faulty_close(void *ctx, int file)
{
	ring_io_files.close(ctx, file);
}

static const struct ring_io faulty_io = { faulty_open, faulty_read, faulty_write, faulty_sync,
					  faulty_close };

static void faulty_event(const struct event *event)
{
	while (faulty.journal_hangs) {
		sleep_ms(10);
	}
	reporter_journal.event(event);
}

static void faulty_message(int priority, const char *text)
{
	while (faulty.journal_hangs) {
		sleep_ms(10);
	}
	reporter_journal.message(priority, text);
}

static int write_metrics_file(const char *path, const char *text, size_t n)
{
	return reporter_journal.metrics(path, text, n);
}

static const struct reporter_output faulty_output = { faulty_event, faulty_message,
						      write_metrics_file };

/**
 * struct pulse - heartbeats as they arrive, and this machine's wake-up latency
 * @fifo: in place of the driver's attribute
 * @longest_ms: longest time between two heartbeats
 * @late_ms: longest oversleep of a sleep of the same time meanwhile
 * @count: heartbeats
 */
static struct {
	int fifo;
	pthread_t reader;
	pthread_t sleeper;
	atomic_bool ends;
	int64_t longest_ms;
	int64_t late_ms;
	int count;
} pulse;

static void *read_pulse(void *arg)
{
	int64_t last_ms = clock_ms(CLOCK_MONOTONIC);
	char byte;

	while (!pulse.ends && read(pulse.fifo, &byte, 1) == 1) {
		int64_t now_ms = clock_ms(CLOCK_MONOTONIC);

		if (pulse.count++ > 0 && now_ms - last_ms > pulse.longest_ms) {
			pulse.longest_ms = now_ms - last_ms;
		}
		last_ms = now_ms;
	}
	return arg;
}

static void *sleep_beside(void *arg)
{
	while (!pulse.ends) {
		int64_t start_ms = clock_ms(CLOCK_MONOTONIC);
		int64_t late_ms;

		nanosleep(&(struct timespec){ .tv_nsec = DAEMON_PERIOD_MS * 1000000 }, NULL);
		late_ms = clock_ms(CLOCK_MONOTONIC) - start_ms - DAEMON_PERIOD_MS;
		pulse.late_ms = late_ms > pulse.late_ms ? late_ms : pulse.late_ms;
	}
	return arg;
}

/* Make the attribute a FIFO: before the daemon starts. */
static void prepare_pulse(void)
{
	unlink(in_root(DEVICE "heartbeat"));
	assert_int_equal(mkfifo(in_root(DEVICE "heartbeat"), 0600), 0);
	pulse.fifo = open(in_root(DEVICE "heartbeat"), O_RDWR);
	assert_true(pulse.fifo >= 0);
}

static void start_pulse(void)
{
	pulse.ends = false;
	pulse.longest_ms = pulse.late_ms = 0;
	pulse.count = 0;
	assert_int_equal(pthread_create(&pulse.reader, NULL, read_pulse, NULL), 0);
	assert_int_equal(pthread_create(&pulse.sleeper, NULL, sleep_beside, NULL), 0);
}

/* The period within 20 %, and the shortest host_timeout_s. */
#define PERIOD_MS (POLICY_HEARTBEAT_MS + POLICY_HEARTBEAT_MS / 5)
#define HOST_TIMEOUT_MS 500

/* No gap between heartbeats was longer, apart from this machine's wake-up latency. */
static void check_pulse(int limit_ms)
{
	pulse.ends = true;
	pthread_join(pulse.reader, NULL);
	pthread_join(pulse.sleeper, NULL);
	print_message("# %d heartbeats, longest gap %d ms, of a sleeper %d ms late\n", pulse.count,
		      (int)pulse.longest_ms, (int)pulse.late_ms);
	assert_true(pulse.count > 10);
	assert_true(pulse.longest_ms <= limit_ms + pulse.late_ms);
}

static void send_line(FILE *stream, const char *line)
{
	fprintf(stream, "%s\n", line);
	fflush(stream);
}

/* Unlike sysfs, a file keeps the end of a longer text: all values have equally many digits. */
#define SET_1100 "{\"v\":1,\"cmd\":\"set\",\"name\":\"power_limit_w\",\"value\":\"1100\"}"

/* Heartbeat, stop and limits work with a disk that takes 10 s and a journal that hangs. */
static void slow_disk_and_journal_delay_no_heartbeat(void **state)
{
	FILE *slow, *operator;
	struct json_object *answer;
	char line[1024];

	(void)state;
	make_driver();
	prepare_pulse();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	expect(STATUS, "result.stored", "true");
	faulty.sync_ms = 10000;
	faulty.journal_hangs = true;
	start_pulse();
	slow = connect_client();
	send_line(slow, SET_1100);
	expect_file(in_root(DEVICE "params/power_limit_w"), "1100");
	expect_ok("{\"v\":1,\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":1050,\"lease_s\":60}");
	expect_file(in_root(DEVICE "params/power_limit_w"), "1050");
	operator= connect_client();
	send_line(operator, "{\"v\":1,\"cmd\":\"stop\"}");
	expect(STATUS, "result.armed", "false");
	expect(STATUS, "result.stored", "false");
	sleep_ms(10000);
	check_pulse(PERIOD_MS);
	faulty.sync_ms = 0;
	faulty.journal_hangs = false;
	assert_non_null(fgets(line, sizeof(line), slow));
	answer = json_tokener_parse(line);
	assert_true(is_ok(answer));
	json_object_put(answer);
	assert_non_null(fgets(line, sizeof(line), operator));
	assert_non_null(strstr(line, "\"ok\":true"));
	fclose(slow);
	fclose(operator);
	stop_daemon();
	close(pulse.fifo);
}

/* A start that the disk refuses has no effect, then or later. */
static void a_refused_start_arms_nothing(void **state)
{
	struct json_object *answer;

	(void)state;
	use_unit();
	start_daemon();
	expect(STATUS, "result.shutdown", "true");
	write_file(DEVICE "taken", "");
	faulty.write_error = -EROFS;
	answer = ask("{\"v\":1,\"id\":\"a\",\"cmd\":\"start\"}");
	assert_string_equal(at(answer, "error.outcome"), "not-stored");
	assert_string_equal(at(answer, "error.code"), "EROFS");
	assert_string_equal(at(answer, "id"), "a");
	json_object_put(answer);
	sleep_ms(3000);
	expect(STATUS, "result.shutdown", "true");
	expect(STATUS, "result.armed", "false");
	expect_file(in_root(DEVICE "taken"), "\n");
	faulty.write_error = 0;
	expect_ok("{\"v\":1,\"cmd\":\"start\"}");
	expect(STATUS, "result.armed", "true");
	stop_daemon();
}

static void a_setting_that_the_disk_refuses_is_undone(void **state)
{
	struct json_object *answer;

	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	expect(STATUS, "result.stored", "true");
	faulty.write_error = -EROFS;
	answer = ask(SET_1100);
	assert_string_equal(at(answer, "error.outcome"), "not-stored");
	assert_non_null(strstr(at(answer, "error.message"), "the former state is in force"));
	json_object_put(answer);
	expect_file(in_root(DEVICE "params/power_limit_w"), "1200");
	answer = ask("{\"v\":1,\"cmd\":\"stop\"}");
	assert_non_null(strstr(at(answer, "error.message"), "a loss of power would forget it"));
	json_object_put(answer);
	expect(STATUS, "result.armed", "false");
	faulty.write_error = 0;
	expect(STATUS, "result.stored", "true");
	stop_daemon();
}

/* A slot takes one command at a time; the next waits, also when the first client is gone. */
static void a_command_waits_for_the_one_before(void **state)
{
	FILE *first;

	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	expect(STATUS, "result.stored", "true");
	faulty.sync_ms = 500;
	first = connect_client();
	send_line(first, SET_1100);
	expect_file(in_root(DEVICE "params/power_limit_w"), "1100");
	fclose(first);
	expect_ok("{\"v\":1,\"cmd\":\"set\",\"name\":\"power_limit_w\",\"value\":\"1150\"}");
	expect_file(in_root(DEVICE "params/power_limit_w"), "1150");
	expect(STATUS, "result.set.power_limit_w", "1150");
	stop_daemon();
}

/* Idle clients hold all connections: an operator still gets one. */
static void idle_clients_do_not_keep_an_operator_out(void **state)
{
	FILE *idle[2 * CONTROL_CLIENTS];

	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++) {
		idle[i] = connect_client();
	}
	expect_ok("{\"v\":1,\"cmd\":\"stop\"}");
	expect(STATUS, "result.armed", "false");
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++) {
		fclose(idle[i]);
	}
	stop_daemon();
}

/* A socket buffer full of commands: the daemon takes a few in each turn of its loop. */
static void pipelined_commands_delay_nobody_else(void **state)
{
	FILE *many;
	char *line = NULL;
	size_t size = 0;

	(void)state;
	make_driver();
	prepare_pulse();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	start_pulse();
	many = connect_client();
	for (int i = 0; i < 775; i++) {
		fprintf(many,
			"{\"v\":1,\"id\":%d,\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":%d,"
			"\"lease_s\":60}\n",
			i, 1000 + i % 200);
	}
	fflush(many);
	for (int i = 0; i < 775; i++) {
		char id[32];

		assert_true(getline(&line, &size, many) > 0);
		snprintf(id, sizeof(id), "\"id\":%d,", i);
		assert_non_null(strstr(line, id));
		assert_non_null(strstr(line, "\"ok\":true"));
	}
	sleep_ms(3000);
	check_pulse(HOST_TIMEOUT_MS);
	free(line);
	fclose(many);
	stop_daemon();
	close(pulse.fifo);
}

/* A command takes effect even if its client disconnects at once. */
static void a_command_takes_effect_after_its_client_disconnects(void **state)
{
	FILE *client;

	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	client = connect_client();
	send_line(client, "{\"v\":1,\"cmd\":\"stop\"}");
	fclose(client);
	expect(STATUS, "result.shutdown", "true");
	stop_daemon();
}

static struct json_object *ask_radio(const char *request)
{
	FILE *stream = connect_to(1);
	struct json_object *answer = ask_on(stream, request);

	fclose(stream);
	return answer;
}

static void the_radios_socket_commands_nothing(void **state)
{
	static const char *const allowed[] = { "status", "report", "events" };
	static const char *const denied[] = { "start", "stop",	"clear", "set",
					      "get",   "limit", "dump",	 "profile-use" };
	struct json_object *answer;
	char request[128];

	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		snprintf(request, sizeof(request), "{\"v\":1,\"cmd\":\"%s\"}", allowed[i]);
		answer = ask_radio(request);
		assert_true(is_ok(answer));
		json_object_put(answer);
	}
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++) {
		snprintf(request, sizeof(request), "{\"v\":1,\"cmd\":\"%s\"}", denied[i]);
		answer = ask_radio(request);
		assert_string_equal(at(answer, "error.code"), "EACCES");
		json_object_put(answer);
	}
	answer = ask_radio("{\"v\":1,\"cmd\":\"sealed\",\"message\":\"00\"}");
	assert_string_equal(at(answer, "error.code"), "ENOKEY");
	json_object_put(answer);
	expect(STATUS, "result.shutdown", "false");
	stop_daemon();
}

static void the_loops_angle_has_its_time_and_needs_a_lock(void **state)
{
	struct json_object *answer;
	int64_t before_us, us;

	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	write_attribute(DEVICE "status_flags", "0x00005405");
	before_us = clock_us(CLOCK_MONOTONIC);
	for (int i = 0; i < WAIT_MS / 10; i++) {
		answer = ask_radio("{\"v\":1,\"cmd\":\"angle\"}");
		if (is_ok(answer)) {
			break;
		}
		assert_string_equal(at(answer, "error.code"), "ENODATA");
		json_object_put(answer);
		usleep(10000);
	}
	assert_string_equal(at(answer, "result.deg"), "90.00");
	assert_string_equal(at(answer, "result.f"), "60.010");
	us = strtoll(at(answer, "result.monotonic_us"), NULL, 10);
	assert_true(us > before_us && us <= clock_us(CLOCK_MONOTONIC));
	json_object_put(answer);
	write_attribute(DEVICE "status_flags", PRODUCING);
	usleep(3 * DAEMON_PERIOD_MS * 1000);
	expect_error("{\"v\":1,\"cmd\":\"angle\"}", "ENODATA");
	stop_daemon();
}

/* This machine was powered up more than ten minutes ago; test_air_inverter tests the time before.
 */
static void a_stock_ecu_needs_permission_and_a_recent_power_up(void **state)
{
	static const char *const asked[] = { "", ",\"on\":false", ",\"panel_w\":100" };
	struct json_object *answer;
	char request[128];

	(void)state;
	for (int allowed = 0; allowed < 2; allowed++) {
		strcpy(config.stock_ecu, allowed ? "yes" : "no");
		make_driver();
		start_daemon();
		expect(STATUS, "result.armed", "true");
		for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
			snprintf(request, sizeof(request), "{\"v\":1,\"cmd\":\"stock\"%s}",
				 asked[i]);
			answer = ask_radio(request);
			assert_string_equal(at(answer, "error.code"), "EACCES");
			assert_string_equal(at(answer, "error.message"),
					    allowed ? "ten minutes after power-up are over"
						    : "stock ECUs are not allowed by the owner");
			json_object_put(answer);
		}
		expect(STATUS, "result.limits", "[ ]");
		stop_daemon();
	}
	strcpy(config.stock_ecu, "no");
}

static void limits_have_owners_and_leases(void **state)
{
	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	expect_error("{\"v\":1,\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":600}", "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"limit\",\"owner\":\"EMA!\",\"w\":600,\"lease_s\":9}",
		     "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"limit\",\"owner\":\"ema\",\"lease_s\":9}", "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":1201,\"lease_s\":9}",
		     "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":1,\"lease_s\":0}",
		     "EINVAL");
	expect_error("{\"v\":1,\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":\"600\",\"lease_s\":9}",
		     "EINVAL");
	expect_ok("{\"v\":1,\"cmd\":\"limit\",\"owner\":\"owner\",\"w\":1090}");
	expect_ok(
		"{\"v\":1,\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":1000,\"lease_s\":2,\"then\":1080}");
	expect_file(in_root(DEVICE "params/power_limit_w"), "1000");
	/* The operator's start ends no limit of another owner. */
	expect_ok("{\"v\":1,\"cmd\":\"start\"}");
	expect_file(in_root(DEVICE "params/power_limit_w"), "1000");
	expect_file(in_root(DEVICE "params/power_limit_w"), "1080");
	expect_ok("{\"v\":1,\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":\"none\"}");
	expect_file(in_root(DEVICE "params/power_limit_w"), "1090");
	expect_ok("{\"v\":1,\"cmd\":\"limit\",\"owner\":\"owner\",\"w\":\"none\"}");
	expect_file(in_root(DEVICE "params/power_limit_w"), "1200");
	stop_daemon();
}

/* Limits survive a restart of the daemon but no reboot, where the monotonic clock starts again. */
static void limits_outlive_the_daemon(void **state)
{
	(void)state;
	setenv("QS1_BOOT_ID", "0123456789abcdef0123456789abcdef", 1);
	make_driver();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	expect_ok("{\"v\":1,\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":1050,\"lease_s\":600,"
		  "\"then\":1100}");
	expect_ok("{\"v\":1,\"cmd\":\"limit\",\"owner\":\"owner\",\"w\":1150}");
	stop_daemon();
	write_file(DEVICE "params/power_limit_w", "1200");
	start_daemon();
	expect_file(in_root(DEVICE "params/power_limit_w"), "1050");
	expect_ok("{\"v\":1,\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":\"none\"}");
	expect_file(in_root(DEVICE "params/power_limit_w"), "1150");
	stop_daemon();
	setenv("QS1_BOOT_ID", "1123456789abcdef0123456789abcdef", 1);
	start_daemon();
	expect_file(in_root(DEVICE "params/power_limit_w"), "1200");
	stop_daemon();
	unsetenv("QS1_BOOT_ID");
}

/* The ECU's end of a pairing. */
struct ecu {
	struct serial serial;
	uint8_t code[INSTALL_CODE_BYTES];
	struct seal_key key;
	uint64_t boot;
	uint32_t counter;
};

#define REQUEST_SIZE (2 * PAIRING_MESSAGE_MAX + 64)

static void sealed_request(char request[REQUEST_SIZE], const char *name, const uint8_t *bytes,
			   size_t n)
{
	char hex[2 * PAIRING_MESSAGE_MAX + 1];

	sodium_bin2hex(hex, sizeof(hex), bytes, n);
	snprintf(request, REQUEST_SIZE, "{\"v\":1,\"cmd\":\"sealed\",\"%s\":\"%s\"}", name, hex);
}

static struct json_object *send_bytes(const char *name, const uint8_t *bytes, size_t n)
{
	char request[REQUEST_SIZE];

	sealed_request(request, name, bytes, n);
	return ask_radio(request);
}

static size_t bytes_at(struct json_object *answer, const char *path, uint8_t *bytes, size_t size)
{
	const char *text = at(answer, path);
	size_t n = 0;

	assert_int_equal(sodium_hex2bin(bytes, size, text, strlen(text), NULL, &n, NULL), 0);
	return n;
}

/* Pair; the ECU's proof comes twice, as if the first answer had been lost. */
static void pair(struct ecu *ecu)
{
	struct seal_head head = { .kind = SEAL_PAIR_UNIT, .serial = ecu->serial };
	uint8_t nonce[SEAL_NONCE_BYTES] = { 7 }, other[SEAL_NONCE_BYTES], proof[SEAL_OVERHEAD];
	struct json_object *answer = send_bytes("nonce", nonce, sizeof(nonce));
	const uint8_t *body;
	uint32_t counter;
	size_t n;

	assert_true(is_ok(answer));
	assert_int_equal(bytes_at(answer, "result.nonce", other, sizeof(other)), sizeof(other));
	n = bytes_at(answer, "result.message", proof, sizeof(proof));
	json_object_put(answer);
	seal_derive(ecu->code, &ecu->serial, nonce, other, &ecu->key);
	assert_int_equal(seal_check(&ecu->key, &head, proof, n, &counter, &body, &n), 0);
	head.kind = SEAL_PAIR_ECU;
	assert_int_equal(seal_make(&ecu->key, &head, NULL, 0, proof, sizeof(proof)), SEAL_OVERHEAD);
	for (int times = 0; times < 2; times++) {
		answer = send_bytes("message", proof, sizeof(proof));
		assert_true(is_ok(answer));
		json_object_put(answer);
	}
}

static void learn_boot(struct ecu *ecu)
{
	struct json_object *answer = ask_radio(STATUS);

	assert_int_equal(sscanf(at(answer, "result.seal.boot"), "%" SCNx64, &ecu->boot), 1);
	ecu->counter = atoi(at(answer, "result.seal.counter"));
	assert_string_equal(at(answer, "result.seal.paired"), "true");
	assert_string_equal(at(answer, "result.seal.serial"), "806000000001");
	json_object_put(answer);
}

static size_t seal_command(struct ecu *ecu, const char *body, uint8_t *message)
{
	struct seal_head head = { .kind = SEAL_COMMAND,
				  .serial = ecu->serial,
				  .boot = ecu->boot,
				  .counter = ++ecu->counter };

	return seal_make(&ecu->key, &head, (const uint8_t *)body, strlen(body), message,
			 PAIRING_MESSAGE_MAX);
}

/* Send a sealed command, and check the seal of its reply. Return: the reply's body. */
static struct json_object *command_sealed(struct ecu *ecu, const char *body)
{
	struct seal_head head = { .kind = SEAL_REPLY, .serial = ecu->serial, .boot = ecu->boot };
	uint8_t message[PAIRING_MESSAGE_MAX];
	struct json_object *answer, *reply;
	const uint8_t *text;
	uint32_t counter;
	size_t n = seal_command(ecu, body, message);

	answer = send_bytes("message", message, n);
	assert_true(is_ok(answer));
	n = bytes_at(answer, "result.message", message, sizeof(message));
	json_object_put(answer);
	assert_int_equal(seal_check(&ecu->key, &head, message, n, &counter, &text, &n), 0);
	assert_int_equal(counter, ecu->counter);
	((uint8_t *)text)[n] = '\0';
	reply = json_tokener_parse((const char *)text);
	assert_non_null(reply);
	return reply;
}

static void expect_seal_error(const uint8_t *message, size_t n, const char *code)
{
	struct json_object *answer = send_bytes("message", message, n);

	assert_string_equal(at(answer, "error.code"), code);
	json_object_put(answer);
}

/* A daemon with a label and a producing unit, and the ECU that has paired with it. */
static struct ecu paired_ecu(void)
{
	struct ecu ecu = { .code = { 1, 2, 3, 4 } };
	char label[LABEL_TEXT_SIZE];
	int fd;

	assert_int_equal(serial_parse("806000000001", &ecu.serial), 0);
	label_format(label, &ecu.serial, ecu.code);
	fd = open(config.label, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, label, strlen(label)), strlen(label));
	close(fd);
	make_driver();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	pair(&ecu);
	learn_boot(&ecu);
	return ecu;
}

static void an_ecu_pairs_and_commands_by_sealed_messages(void **state)
{
	struct ecu ecu = paired_ecu(), other;
	uint8_t message[PAIRING_MESSAGE_MAX], nonce[SEAL_NONCE_BYTES] = { 0 };
	struct json_object *answer;
	size_t n;

	(void)state;
	answer = command_sealed(&ecu, "{\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":1070,"
				      "\"lease_s\":60}");
	assert_true(is_ok(answer));
	json_object_put(answer);
	expect_file(in_root(DEVICE "params/power_limit_w"), "1070");
	answer =
		command_sealed(&ecu, "{\"cmd\":\"set\",\"name\":\"es_delay_s\",\"value\":\"500\"}");
	assert_true(is_ok(answer));
	json_object_put(answer);
	expect_file(in_root(DEVICE "params/es_delay_s"), "500");
	answer = command_sealed(&ecu, "{\"cmd\":\"start\"}");
	assert_string_equal(at(answer, "error.code"), "EACCES");
	json_object_put(answer);
	answer = command_sealed(&ecu, "no JSON");
	assert_string_equal(at(answer, "error.code"), "EINVAL");
	json_object_put(answer);

	/* Another message with the same counter, a changed byte, another key, another boot. */
	ecu.counter--;
	n = seal_command(&ecu, "{\"cmd\":\"get\",\"name\":\"power_limit_w\"}", message);
	expect_seal_error(message, n, "EALREADY");
	message[SEAL_HEAD_BYTES + 8] ^= 1;
	expect_seal_error(message, n, "EKEYREJECTED");
	other = ecu;
	other.key.byte[0] ^= 1;
	n = seal_command(&other, "{\"cmd\":\"get\"}", message);
	expect_seal_error(message, n, "EKEYREJECTED");
	other = ecu;
	other.boot++;
	n = seal_command(&other, "{\"cmd\":\"get\"}", message);
	expect_seal_error(message, n, "ESTALE");
	/* A wrong proof ends the pairing without effect; a proof without a pairing is refused. */
	memset(message, 0, SEAL_OVERHEAD);
	message[0] = SEAL_VERSION;
	message[1] = SEAL_PAIR_ECU;
	expect_seal_error(message, SEAL_OVERHEAD, "EKEYREJECTED");
	expect_seal_error(message, SEAL_OVERHEAD, "ENOKEY");
	json_object_put(send_bytes("nonce", nonce, sizeof(nonce)));
	expect_seal_error(message, SEAL_OVERHEAD, "EKEYREJECTED");
	stop_daemon();

	/* The key survives a loss of power, the counter does not; old messages are stale. */
	start_daemon();
	n = seal_command(&ecu, "{\"cmd\":\"get\"}", message);
	expect_seal_error(message, n, "ESTALE");
	learn_boot(&ecu);
	assert_int_equal(ecu.counter, 0);
	answer = command_sealed(&ecu, "{\"cmd\":\"get\",\"name\":\"es_delay_s\"}");
	assert_string_equal(at(answer, "result.es_delay_s"), "500");
	json_object_put(answer);
	/* Several names fit into an answer, where all do not. */
	answer = command_sealed(&ecu, "{\"cmd\":\"get\",\"name\":[\"es_delay_s\",\"vw_on\"]}");
	assert_string_equal(at(answer, "result.es_delay_s"), "500");
	assert_string_equal(at(answer, "result.vw_on"), "0");
	assert_string_equal(at(answer, "result.uv1_v_pu"), "missing");
	json_object_put(answer);
	answer = command_sealed(&ecu, "{\"cmd\":\"get\",\"name\":[\"es_delay_s\",\"warp\"]}");
	assert_string_equal(at(answer, "error.code"), "ENOENT");
	json_object_put(answer);
	stop_daemon();
	unlink(config.label);
}

/* The sealed reply to a message, in hexadecimal digits. */
static void reply_to(const uint8_t *message, size_t n, char text[2 * PAIRING_MESSAGE_MAX + 1])
{
	struct json_object *answer = send_bytes("message", message, n);

	assert_true(is_ok(answer));
	snprintf(text, 2 * PAIRING_MESSAGE_MAX + 1, "%s", at(answer, "result.message"));
	json_object_put(answer);
}

/* An ECU that does not receive a reply sends the message again. */
static void a_repeated_sealed_command_gets_its_reply_and_runs_once(void **state)
{
	char first[2 * PAIRING_MESSAGE_MAX + 1], again[2 * PAIRING_MESSAGE_MAX + 1];
	uint8_t message[PAIRING_MESSAGE_MAX], older[PAIRING_MESSAGE_MAX];
	struct ecu ecu = paired_ecu();
	char request[REQUEST_SIZE];
	size_t n, older_n;
	FILE *lost;

	(void)state;
	older_n = seal_command(&ecu, "{\"cmd\":\"get\",\"name\":\"es_delay_s\"}", older);
	reply_to(older, older_n, first);
	reply_to(older, older_n, again);
	assert_string_equal(first, again);

	/* The client of the first copy leaves while the disk is slow; the second one waits for the
	 * reply. */
	expect(STATUS, "result.stored", "true");
	faulty.sync_ms = 1000;
	n = seal_command(&ecu, "{\"cmd\":\"set\",\"name\":\"es_delay_s\",\"value\":\"500\"}",
			 message);
	sealed_request(request, "message", message, n);
	lost = connect_to(1);
	send_line(lost, request);
	expect_file(in_root(DEVICE "params/es_delay_s"), "500");
	fclose(lost);
	reply_to(message, n, first);
	faulty.sync_ms = 0;
	expect_ok("{\"v\":1,\"cmd\":\"set\",\"name\":\"es_delay_s\",\"value\":\"400\"}");
	reply_to(message, n, again);
	assert_string_equal(first, again);
	expect_file(in_root(DEVICE "params/es_delay_s"), "400");

	/* A refusal is repeated, too. */
	n = seal_command(&ecu, "{\"cmd\":\"set\",\"name\":\"es_delay_s\",\"value\":\"601\"}",
			 message);
	reply_to(message, n, first);
	reply_to(message, n, again);
	assert_string_equal(first, again);
	expect_seal_error(older, older_n, "EALREADY");
	stop_daemon();
	unlink(config.label);
}

static void write_config(const char *profile_name, const char *rest)
{
	FILE *file = fopen(config_path, "w");

	assert_non_null(file);
	fprintf(file,
		"profile profiles/%s.conf\nstore_a %s\nstore_b %s\nmark %s\nlabel %s\nleases %s\n%s",
		profile_name, config.store_a, config.store_b, config.mark, config.label,
		config.leases, rest);
	assert_int_equal(fclose(file), 0);
}

static void reload_accepts_metrics_and_refuses_errors(void **state)
{
	char line[128];

	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.inverter", "ok");
	assert_int_equal(access(metrics, F_OK), -1);
	snprintf(line, sizeof(line), "metrics %s\n", metrics);
	write_config("note1", line);
	order('r');
	expect_file(metrics, "# HELP qs1_up ");
	write_config("note1", "colour red\n");
	order('r');
	expect_event("unknown name 'colour'");
	/* A unit that has a profile ignores another default profile in the file. */
	write_config("ieee1547-2018-cat3", "");
	order('r');
	expect_event("but this unit keeps its profile");
	expect(STATUS, "result.profile", "note1");
	stop_daemon();
}

/* Names that users rely on: one of each metric. */
static void metrics_have_their_names(void **state)
{
	static const char *const lines[] = {
		"\nqs1_up 1\n",
		"\nqs1_armed 1\n",
		"\nqs1_state{state=\"shutdown\"} 1\n",
		"\nqs1_state{state=\"producing\"} 0\n",
		"\nqs1_fault_active{code=\"UV2\"} 0\n",
		"\nqs1_fault_latched{code=\"GFDI\"} 0\n",
		"\nqs1_trips_total{code=\"UV2\"} 1\n",
		"\nqs1_pv_energy_joules_total{input=\"4\"} 3600.000\n",
		"\nqs1_grid_energy_joules_total 3600.000\n",
		"\nqs1_pv_volts{input=\"1\"} 37.5\n",
		"\nqs1_pv_amperes{input=\"2\"} 8\n",
		"\nqs1_pv_watts{input=\"3\"} 300\n",
		"\nqs1_grid_volts 240\n",
		"\nqs1_grid_amperes 4.8\n",
		"\nqs1_grid_hertz 60.01\n",
		"\nqs1_grid_watts 1150\n",
		"\nqs1_grid_vars -1\n",
		"\nqs1_dc_link_volts 400\n",
		"\nqs1_case_celsius 25.1\n",
		"\nqs1_coprocessor_crashes_total 0\n",
		"\nqs1_boots_total 1\n",
		"\nqs1_store_damaged_blocks 0\n",
		"\nqs1_stored 1\n",
	};
	char text[16384];
	FILE *file;

	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.armed", "true");
	expect_event("UV2");
	snprintf(text, sizeof(text), "metrics %s\n", metrics);
	write_config("note1", text);
	order('r');
	expect_file(metrics, "# HELP qs1_up ");
	file = fopen(metrics, "r");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!strstr(text, lines[i])) {
			fail_msg("expected '%s' in: %s", lines[i] + 1, text);
		}
	}
	stop_daemon();
}

static void a_second_daemon_is_refused(void **state)
{
	struct daemon *second;
	sd_event *event = NULL;

	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.inverter", "ok");
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(daemon_new(&rig.setup, event, &second), -EBUSY);
	sd_event_unref(event);
	expect(STATUS, "result.inverter", "ok");
	stop_daemon();
}

/* An older driver without the counter: fresh and stale telemetry look the same. */
static void telemetry_without_its_counter_is_rejected(void **state)
{
	(void)state;
	make_driver();
	unlink(in_root(DEVICE "telemetry_ticks"));
	start_daemon();
	expect(STATUS, "result.inverter", "no driver");
	expect(STATUS, "result.armed", "false");
	write_file(DEVICE "telemetry_ticks", "                   0");
	expect(STATUS, "result.inverter", "ok");
	stop_daemon();
}

/* A reading comes each second; three bad ones in a row are a fault, one is ignored. */
static void one_bad_reading_disarms_nothing(void **state)
{
	const struct timespec reading = { .tv_nsec = 950000000 };

	(void)state;
	make_driver();
	start_daemon();
	expect(STATUS, "result.inverter", "ok");
	expect_file(in_root(DEVICE "taken"), "armed 1");
	write_attribute(DEVICE "status_flags", PRODUCING);
	expect(STATUS, "result.state", "producing");
	write_attribute(METER "in_voltage0_raw", "99000");
	nanosleep(&reading, NULL);
	write_attribute(METER "in_voltage0_raw", "37500");
	for (int n = 0; n < 3; n++) {
		nanosleep(&reading, NULL);
	}
	expect_file(in_root(DEVICE "taken"), "armed 1");
	write_attribute(METER "in_voltage0_raw", "99000");
	expect(STATUS, "result.faults.active", "[ \"SENSOR\" ]");
	expect_file(in_root(DEVICE "taken"), "armed 0");
	write_attribute(METER "in_voltage0_raw", "37500");
	stop_daemon();
}

static int make_folder(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(folder) || pipe(rig.order) < 0 || sem_init(&rig.started, 0, 0) < 0) {
		return -1;
	}
	rig.listener[0] = listen_at(0);
	rig.listener[1] = listen_at(1);
	rig.setup = (struct daemon_setup){
		.config = &config,
		.config_path = config_path,
		.root = root,
		.control_fd = rig.listener[0],
		.radio_fd = rig.listener[1],
		.io = &faulty_io,
		.output = &faulty_output,
	};
	snprintf(config.mark, sizeof(config.mark), "%s/mark", folder);
	snprintf(config.label, sizeof(config.label), "%s/label", folder);
	/* In memory, as it is on a board. */
	snprintf(config.leases, sizeof(config.leases), "/dev/shm/%s", strrchr(folder, '/') + 1);
	snprintf(root, sizeof(root), "%s/sys", folder);
	snprintf(config.store_a, sizeof(config.store_a), "%s", folder);
	snprintf(config_path, sizeof(config_path), "%s/qs1d.conf", folder);
	snprintf(metrics, sizeof(metrics), "%s/qs1.prom", folder);
	snprintf(config.store_b, sizeof(config.store_b), "%s", folder);
	return mkdir(root, 0700) ?: pthread_create(&firmware_thread, NULL, run_firmware, NULL);
}

static int remove_folder(void **state)
{
	char command[64];

	(void)state;
	firmware_ends = true;
	unlink(config.leases);
	pthread_join(firmware_thread, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(waits_for_the_driver_and_finds_it, set_up),
		cmocka_unit_test_setup(readings_come_in_their_units, set_up),
		cmocka_unit_test_setup(leds_show_the_state, set_up),
		cmocka_unit_test_setup(ground_fault_outlives_the_daemon, set_up),
		cmocka_unit_test_setup(shutdown_and_settings_outlive_the_daemon, set_up),
		cmocka_unit_test_setup(profile_is_applied_as_a_whole_and_kept, set_up),
		cmocka_unit_test_setup(stale_telemetry_is_a_fault, set_up),
		cmocka_unit_test_setup(telemetry_without_its_counter_is_rejected, set_up),
		cmocka_unit_test_setup(one_bad_reading_disarms_nothing, set_up),
		cmocka_unit_test_setup(a_damaged_store_is_lost, set_up),
		cmocka_unit_test_setup(an_absent_store_is_lost, set_up),
		cmocka_unit_test_setup(an_empty_store_is_lost, set_up),
		cmocka_unit_test_setup(a_foreign_store_is_lost, set_up),
		cmocka_unit_test_setup(a_store_without_a_mark_is_accepted, set_up),
		cmocka_unit_test_setup(one_lost_copy_is_reported_and_repaired, set_up),
		cmocka_unit_test_setup(a_wrong_default_profile_matters_to_a_first_start_only,
				       set_up),

		cmocka_unit_test_setup(events_outlive_the_daemon, set_up),
		cmocka_unit_test_setup(events_are_kept_and_followed, set_up),
		cmocka_unit_test_setup(wrong_requests_get_an_error, set_up),
		cmocka_unit_test_setup(hostile_clients_are_dropped, set_up),
		cmocka_unit_test_setup(reload_accepts_metrics_and_refuses_errors, set_up),
		cmocka_unit_test_setup(metrics_have_their_names, set_up),
		cmocka_unit_test_setup(a_second_daemon_is_refused, set_up),
		cmocka_unit_test_setup(slow_disk_and_journal_delay_no_heartbeat, set_up),
		cmocka_unit_test_setup(a_refused_start_arms_nothing, set_up),
		cmocka_unit_test_setup(a_setting_that_the_disk_refuses_is_undone, set_up),
		cmocka_unit_test_setup(a_command_waits_for_the_one_before, set_up),
		cmocka_unit_test_setup(idle_clients_do_not_keep_an_operator_out, set_up),
		cmocka_unit_test_setup(pipelined_commands_delay_nobody_else, set_up),
		cmocka_unit_test_setup(a_command_takes_effect_after_its_client_disconnects, set_up),
		cmocka_unit_test_setup(the_radios_socket_commands_nothing, set_up),
		cmocka_unit_test_setup(a_stock_ecu_needs_permission_and_a_recent_power_up, set_up),
		cmocka_unit_test_setup(the_loops_angle_has_its_time_and_needs_a_lock, set_up),
		cmocka_unit_test_setup(limits_have_owners_and_leases, set_up),
		cmocka_unit_test_setup(limits_outlive_the_daemon, set_up),
		cmocka_unit_test_setup(an_ecu_pairs_and_commands_by_sealed_messages, set_up),
		cmocka_unit_test_setup(a_repeated_sealed_command_gets_its_reply_and_runs_once,
				       set_up),

	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
