// SPDX-License-Identifier: GPL-2.0-only
/* Waveforms in qs1ctl: capture from a device made of files and a pipe, decoding, output. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "wave.h"

#define HZ 20000
/* A pipe holds 65536 bytes: this many scans of the channels below fit. */
#define SCANS 4000

static char folder[] = "/tmp/qs1-wave-XXXXXX";
static char err[512];

static const char *in_folder(const char *name)
{
	static char path[4][256];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%s\n", text);
	assert_int_equal(fclose(file), 0);
}

static void add_channel(const char *stem, const char *label, const char *index, const char *type,
			const char *scale)
{
	char name[128];

	snprintf(name, sizeof(name), "bus/iio/devices/iio:device7/%s_label", stem);
	write_file(name, label);
	snprintf(name, sizeof(name), "bus/iio/devices/iio:device7/%s_scale", stem);
	write_file(name, scale);
	snprintf(name, sizeof(name), "bus/iio/devices/iio:device7/scan_elements/%s_index", stem);
	write_file(name, index);
	snprintf(name, sizeof(name), "bus/iio/devices/iio:device7/scan_elements/%s_type", stem);
	write_file(name, type);
	snprintf(name, sizeof(name), "bus/iio/devices/iio:device7/scan_elements/%s_en", stem);
	write_file(name, "0");
}

static int make_device(void **state)
{
	static const char *const files[][2] = {
		{ "name", "qs1-wave" },
		{ "sampling_frequency", "20000" },
		{ "wave_lost", "3" },
		{ "buffer/enable", "1" },
		{ "buffer/length", "2" },
		{ "buffer/watermark", "1" },
		{ "scan_elements/in_timestamp_en", "1" },
	};

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char name[128];

		snprintf(name, sizeof(name), "bus/iio/devices/iio:device7/%s", files[i][0]);
		write_file(name, files[i][1]);
	}
	add_channel("in_index0", "status", "9", "le:u32/32>>0", "1");
	add_channel("in_voltage5", "grid", "1", "le:s16/16>>0", "20");
	add_channel("in_current4", "grid", "4", "le:s16/16>>0", "0.5");
	assert_int_equal(mkfifo(in_folder("iio:device7"), 0600), 0);
	return 0;
}

static int remove_device(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* Data of the simulated device: a sine of 60 Hz, 340 V, and the number of the scan. */
static int fill(size_t scans)
{
	int fd = open(in_folder("iio:device7"), O_RDWR | O_NONBLOCK);

	assert_true(fd >= 0);
	for (size_t n = 0; n < scans; n++) {
		struct {
			int16_t volt;
			int16_t ampere;
			uint32_t status;
		} scan = { lround(17000 * sin(2 * M_PI * 60 * n / HZ + 1)), n, n };

		assert_int_equal(write(fd, &scan, sizeof(scan)), sizeof(scan));
	}
	return fd;
}

static void chosen_channels_come_in_their_units(void **state)
{
	char *words[] = { "status", "grid" };
	const struct capture capture = { .words = words, .count = 2, .time_s = 0.1 };
	int fd = fill(SCANS);
	struct wave wave;

	(void)state;
	assert_int_equal(capture_run(folder, folder, &capture, &wave, err, sizeof(err)), 0);
	assert_int_equal(wave.scans, 2000);
	assert_true(wave.hz == HZ);
	assert_int_equal(wave.lost, 0);
	assert_string_equal(wave.channel[0].name, "grid.v");
	assert_string_equal(wave.channel[1].name, "grid.i");
	assert_string_equal(wave.channel[2].name, "status");
	for (size_t n = 0; n < wave.scans; n++) {
		double volt = 340 * sin(2 * M_PI * 60 * n / HZ + 1);

		assert_true(fabs(wave.channel[0].value[n] - volt) < 0.011);
		assert_true(fabs(wave.channel[1].value[n] - n * 0.0005) < 1e-6);
		assert_true(wave.channel[2].value[n] == n);
	}
	wave_free(&wave);
	close(fd);
}

static void a_trigger_is_at_time_zero_with_a_tenth_before_it(void **state)
{
	char *words[] = { "grid.v" };
	const struct capture capture = {
		.words = words,
		.count = 1,
		.time_s = 0.02,
		.trigger = "grid.v",
		.level = 100,
	};
	struct wave wave;
	/* Only the volts are enabled: two bytes a scan. */
	int fd = open(in_folder("iio:device7"), O_RDWR | O_NONBLOCK);

	(void)state;
	for (size_t n = 0; n < SCANS; n++) {
		int16_t volt = lround(17000 * sin(2 * M_PI * 60 * n / HZ + 1));

		assert_int_equal(write(fd, &volt, sizeof(volt)), sizeof(volt));
	}
	assert_int_equal(capture_run(folder, folder, &capture, &wave, err, sizeof(err)), 0);
	assert_int_equal(wave.scans, 400);
	assert_int_equal(wave.zero, 40);
	assert_true(wave.channel[0].value[39] < 100 && wave.channel[0].value[40] >= 100);
	for (size_t n = 1; n < wave.scans; n++) {
		/* 340 V at 60 Hz change by 6.4 V a scan at most: no seam. */
		assert_true(fabsf(wave.channel[0].value[n] - wave.channel[0].value[n - 1]) < 6.5f);
	}
	wave_free(&wave);
	close(fd);
}

static void an_impossible_capture_is_refused_with_the_reason(void **state)
{
	char *words[] = { "mains" };
	struct capture capture = { .words = words, .count = 1, .time_s = 0.1 };
	struct wave wave;
	int fd;

	(void)state;
	assert_int_equal(capture_run(folder, folder, &capture, &wave, err, sizeof(err)), -ENOENT);
	assert_string_equal(err, "no channel 'mains', expected some of: all grid.v grid.i status");
	words[0] = "grid.v";
	capture.trigger = "grid";
	assert_int_equal(capture_run(folder, folder, &capture, &wave, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "trigger: expected one channel, found 'grid'");
	capture.trigger = NULL;
	fd = fill(1);
	assert_int_equal(capture_run(folder, folder, &capture, &wave, err, sizeof(err)), -ENODATA);
	assert_string_equal(err, "the firmware does not run, or its stream has stopped");
	close(fd);
	assert_int_equal(capture_run("/nowhere", folder, &capture, &wave, err, sizeof(err)),
			 -ENODEV);
	assert_string_equal(err, "no IIO device qs1-wave; is the driver loaded?");
}

#define TRIP_SCANS 100

struct recording {
	struct qs1_trip_wave head;
	struct qs1_scan scan[TRIP_SCANS];
};

static struct recording make_trip(void)
{
	struct recording r = { .head = {
				       .magic = QS1_TRIP_WAVE_MAGIC,
				       .number = 1,
				       .control_hz = HZ,
				       .count = TRIP_SCANS,
				       .trip = 40,
				       .fault = QS1_FAULT_UV2,
			       } };

	for (int n = 0; n < TRIP_SCANS; n++) {
		r.scan[n].seq = n;
		r.scan[n].ch[QS1_ADC_VGRID] = n * 100;
		r.scan[n].ch[QS1_ADC_IPV2] = -n;
		r.scan[n].phase = 1u << 31;
	}
	return r;
}

static void a_trips_waveform_is_decoded(void **state)
{
	struct recording r = make_trip();
	struct qs1_trip_wave head;
	struct wave wave;

	(void)state;
	assert_int_equal(wave_trip(&r, sizeof(r), &head, &wave), 0);
	assert_int_equal(head.fault, QS1_FAULT_UV2);
	assert_true(fabs(wave_time(&wave, 0) + 0.002) < 1e-9);
	assert_string_equal(wave.channel[QS1_ADC_VGRID].name, "grid.v");
	assert_true(fabsf(wave.channel[QS1_ADC_VGRID].value[99] - 198) < 1e-3f);
	assert_string_equal(wave.channel[QS1_ADC_IPV2].name, "pv2.i");
	assert_true(fabsf(wave.channel[QS1_ADC_IPV2].value[99] + 0.061875f) < 1e-6f);
	assert_true(fabsf(wave.channel[QS1_SCAN_CHANNELS].value[0] - (float)M_PI) < 1e-6f);
	wave_free(&wave);
}

static void a_contradictory_header_is_refused(void **state)
{
	struct recording r = make_trip();
	struct qs1_trip_wave head;
	struct wave wave;

	(void)state;
	assert_int_equal(wave_trip(&r, sizeof(r.head) - 1, &head, &wave), -EPROTO);
	assert_int_equal(wave_trip(&r, sizeof(r) - 1, &head, &wave), -EPROTO);
	r.head.trip = TRIP_SCANS;
	assert_int_equal(wave_trip(&r, sizeof(r), &head, &wave), -EPROTO);
	r = make_trip();
	r.head.control_hz = 0;
	assert_int_equal(wave_trip(&r, sizeof(r), &head, &wave), -EPROTO);
	r = make_trip();
	r.head.magic++;
	assert_int_equal(wave_trip(&r, sizeof(r), &head, &wave), -EPROTO);
	r = make_trip();
	/* sizeof(struct qs1_scan) is 40: in 32 bits the product would be that of 100 scans. */
	r.head.count = TRIP_SCANS + (1u << 29);
	assert_int_equal(wave_trip(&r, sizeof(r), &head, &wave), -EPROTO);
}

static void channels_of_one_full_scale_share_a_panel(void **state)
{
	struct recording r = make_trip();
	bool member[WAVE_CHANNELS];
	struct qs1_trip_wave head;
	struct wave wave;
	int groups = 0, members = 0;

	(void)state;
	assert_int_equal(wave_trip(&r, sizeof(r), &head, &wave), 0);
	for (int first = -1; (first = wave_group(&wave, first, member)) >= 0; groups++) {
		for (int i = 0; i < WAVE_CHANNELS; i++) {
			members += member[i];
		}
	}
	/* Input volts and currents; link, grid and bridge; grid, ground, reference, PLL, status. */
	assert_int_equal(groups, 8);
	assert_int_equal(members, WAVE_CHANNELS);
	wave_free(&wave);
}

static void a_capture_is_written_in_every_form(void **state)
{
	struct recording r = make_trip();
	struct qs1_trip_wave head;
	char *text = NULL, *line;
	uint8_t magic[8] = { 0 };
	struct wave wave;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(wave_trip(&r, sizeof(r), &head, &wave), 0);
	assert_int_equal(wave_csv(&wave, out), 0);
	assert_int_equal(strncmp(text, "time_s,pv1.v_V,pv2.v_V,", 23), 0);
	line = strchr(text, '\n') + 1;
	assert_int_equal(strncmp(line, "-0.002000,0,0,", 14), 0);
	for (int n = 0; n < TRIP_SCANS; n++) {
		line = strchr(line, '\n') + 1;
	}
	assert_string_equal(line, "");
	fclose(out);
	free(text);

	assert_int_equal(wave_plot_png(&wave, in_folder("plot.png"), "title"), 0);
	out = fopen(in_folder("plot.png"), "r");
	assert_int_equal(fread(magic, 1, 8, out), 8);
	assert_memory_equal(magic, "\x89PNG\r\n\x1a\n", 8);
	fclose(out);
	assert_int_equal(wave_plot_png(&wave, "/nowhere/plot.png", "title"), -ENOENT);

	text = NULL;
	out = open_memstream(&text, &size);
	wave_plot_text(&wave, out, 80);
	fclose(out);
	assert_non_null(strstr(text, "dc-link.v, grid.v, inverter.v in V\n      198 "));
	free(text);
	wave_free(&wave);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chosen_channels_come_in_their_units),
		cmocka_unit_test(a_trigger_is_at_time_zero_with_a_tenth_before_it),
		cmocka_unit_test(an_impossible_capture_is_refused_with_the_reason),
		cmocka_unit_test(a_trips_waveform_is_decoded),
		cmocka_unit_test(a_contradictory_header_is_refused),
		cmocka_unit_test(channels_of_one_full_scale_share_a_panel),
		cmocka_unit_test(a_capture_is_written_in_every_form),
	};

	return cmocka_run_group_tests(tests, make_device, remove_device);
}
