// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calibration: points give gains and offsets; damage to their file is detected;
 * the firmware accepts them in its image.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "calibrate.h"
#include "calibration.h"
#include "crc32c.h"

#define IMAGE "build/firmware/qs1-am57xx.elf"

static char folder[] = "/tmp/qs1-calibration-XXXXXX";
static char path[64], copy[64];

static int make_folder(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/points", folder);
	snprintf(copy, sizeof(copy), "%s/image", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	unlink(copy);
	return rmdir(folder);
}

/* What a channel with this error shows. */
static double shows(enum qs1_adc channel, double value, double gain, double offset)
{
	return value / calibration_lsb(channel) / gain + offset;
}

static void channels_have_the_names_of_the_stream(void **state)
{
	(void)state;
	assert_string_equal(calibration_name(QS1_ADC_VPV1), "pv1.v");
	assert_string_equal(calibration_name(QS1_ADC_IGRID), "grid.i");
	assert_string_equal(calibration_name(QS1_ADC_TCASE), "case.t");
	for (int i = 0; i < QS1_ADC_COUNT; i++)
		assert_int_equal(calibration_channel(calibration_name((enum qs1_adc)i)), i);
	assert_int_equal(calibration_channel("grid"), -ENOENT);
}

static void a_line_through_points_gives_gain_and_offset(void **state)
{
	const double at[] = { -300, 0, 100, 350 };
	struct calibration c = { 0 };
	struct calibration_line line;

	(void)state;
	assert_int_equal(calibration_line(&c, QS1_ADC_VGRID, &line), 0);
	assert_true(line.gain == 1 && line.offset == 0 && line.points == 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(calibration_add(&c, QS1_ADC_VGRID,
						 shows(QS1_ADC_VGRID, at[i], 1.02, -31), at[i]),
				 0);
	assert_int_equal(calibration_line(&c, QS1_ADC_VGRID, &line), 0);
	assert_true(fabs(line.gain - 1.02) < 1e-9);
	assert_true(fabs(line.offset + 31) < 1e-6);
	assert_true(line.worst < 1e-6);
	/* the distance of a point beside the line is reported */
	calibration_add(&c, QS1_ADC_VGRID, shows(QS1_ADC_VGRID, 200, 1.02, -31) + 50, 200);
	assert_int_equal(calibration_line(&c, QS1_ADC_VGRID, &line), 0);
	assert_true(line.worst > 25);
}

static void one_point_gives_an_offset_only(void **state)
{
	struct calibration c = { 0 };
	struct calibration_line line;

	(void)state;
	calibration_add(&c, QS1_ADC_IPV2, 12.5, 0);
	assert_int_equal(calibration_line(&c, QS1_ADC_IPV2, &line), 0);
	assert_true(line.gain == 1 && line.offset == 12.5);
}

static void implausible_points_are_refused(void **state)
{
	const struct {
		double gain, offset, low, high;
		int expected;
	} cases[] = {
		{ 1.049, 0, 0, 50, 0 },	 { 1.051, 0, 0, 50, -ERANGE },
		{ 0.951, 0, 0, 50, 0 },	 { 0.949, 0, 0, 50, -ERANGE },
		{ 1, 399, 0, 50, 0 },	 { 1, -401, 0, 50, -ERANGE },
		{ 1, 0, 20, 30, -EDOM }, { -1, 0, 0, 50, -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct calibration c = { 0 };
		struct calibration_line line;

		calibration_add(&c, QS1_ADC_VPV1,
				shows(QS1_ADC_VPV1, cases[i].low, cases[i].gain, cases[i].offset),
				cases[i].low);
		calibration_add(&c, QS1_ADC_VPV1,
				shows(QS1_ADC_VPV1, cases[i].high, cases[i].gain, cases[i].offset),
				cases[i].high);
		assert_int_equal(calibration_line(&c, QS1_ADC_VPV1, &line), cases[i].expected);
	}
}

static void points_survive_a_round_trip_through_the_file(void **state)
{
	struct calibration c = { 0 }, back;
	char err[256];

	(void)state;
	assert_int_equal(calibration_read(path, &back, err, sizeof(err)), 0);
	assert_int_equal(back.count, 0); /* not there */
	assert_int_equal(calibration_write(path, &c), 0);
	assert_int_equal(calibration_read(path, &back, err, sizeof(err)), 0);
	assert_int_equal(back.count, 0);
	for (int i = 0; i < CALIBRATION_POINTS; i++)
		assert_int_equal(
			calibration_add(&c, (enum qs1_adc)(i % QS1_ADC_COUNT), 100 * i, i / 128.0),
			0);
	assert_int_equal(calibration_add(&c, QS1_ADC_VPV1, 0, 0), -ENOSPC);
	assert_int_equal(calibration_write(path, &c), 0);
	assert_int_equal(calibration_read(path, &back, err, sizeof(err)), 0);
	assert_int_equal(back.count, CALIBRATION_POINTS);
	for (int i = 0; i < CALIBRATION_POINTS; i++) {
		assert_int_equal(back.point[i].channel, i % QS1_ADC_COUNT);
		assert_true(back.point[i].counts == 100 * i);
		assert_true(back.point[i].value == i / 128.0);
	}
}

static void any_damage_to_the_file_is_detected(void **state)
{
	struct calibration c = { 0 }, back;
	char err[256], text[512];
	size_t length;
	FILE *file;

	(void)state;
	calibration_add(&c, QS1_ADC_VLINK, 19999, 400);
	calibration_add(&c, QS1_ADC_VLINK, 3, 0);
	assert_int_equal(calibration_write(path, &c), 0);
	file = fopen(path, "r");
	length = fread(text, 1, sizeof(text), file);
	fclose(file);
	/* all but the newline at the very end */
	for (size_t i = 0; i + 1 < length; i++) {
		char damaged[512];

		memcpy(damaged, text, length);
		damaged[i] ^= 1;
		file = fopen(path, "w");
		fwrite(damaged, 1, length, file);
		fclose(file);
		assert_int_equal(calibration_read(path, &back, err, sizeof(err)), -EBADMSG);
	}
}

/* Files whose checksum is right, though calibration_write() never wrote them. */
static void a_crafted_file_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *lines;
		size_t length;
		int expected;
		const char *reason;
	} cases[] = {
		{ "grid.v 1 1", 10, 0, "" }, /* no newline before the checksum */
		{ "grid.v 1e308 1\n", 15, -ERANGE, "line 1: expected -32768 to 32768 counts" },
		{ "grid.v 1 nan\n", 13, -ERANGE, "line 1" },
		{ "grid.v 1 1\nmoon.v 1 1\n", 22, -EINVAL, "line 2: unknown channel 'moon.v'" },
		{ "grid.v 1\n", 9, -EINVAL, "expected CHANNEL COUNTS VALUE, found 'grid.v 1'" },
		{ "\n", 1, -EINVAL, "line 1" },
		{ "\0\0\0", 3, -EINVAL, "line 1" },
	};
	char text[64 + CALIBRATION_POINTS * 16], err[512];
	struct calibration c;
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(text, cases[i].lines, cases[i].length);
		length = cases[i].length + (size_t)sprintf(text + cases[i].length,
							   "checksum %08x\n",
							   crc32c(0, text, cases[i].length));
		assert_int_equal(calibration_parse(text, length, &c, err, sizeof(err)),
				 cases[i].expected);
		if (cases[i].expected < 0)
			assert_non_null(strstr(err, cases[i].reason));
	}
	length = 0;
	for (int i = 0; i <= CALIBRATION_POINTS; i++)
		length += (size_t)sprintf(text + length, "grid.v 1 1\n");
	length += (size_t)sprintf(text + length, "checksum %08x\n", crc32c(0, text, length));
	assert_int_equal(calibration_parse(text, length, &c, err, sizeof(err)), -ENOSPC);
	assert_non_null(strstr(err, "line 129: expected at most 128 points"));
}

static struct qs1_calibration in_copy(void)
{
	struct qs1_calibration found = { 0 };
	static uint8_t bytes[1 << 20];
	FILE *file = fopen(copy, "r");
	size_t length;

	assert_non_null(file);
	length = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	for (size_t i = 0; i + sizeof(found) <= length; i += 4) {
		if (!memcmp(bytes + i, &(uint32_t){ QS1_CALIBRATION_MAGIC }, 4)) {
			memcpy(&found, bytes + i, sizeof(found));
			if (qs1_calibration_sound(&found))
				return found;
		}
	}
	fail_msg("no sound calibration in the copy");
	return found;
}

static void the_firmware_accepts_the_calibrated_image(void **state)
{
	struct calibration c = { 0 };
	struct qs1_calibration found;
	int16_t adc[QS1_ADC_COUNT] = { 0 };
	char err[256];

	(void)state;
	calibration_add(&c, QS1_ADC_VGRID, shows(QS1_ADC_VGRID, 0, 0.98, 20), 0);
	calibration_add(&c, QS1_ADC_VGRID, shows(QS1_ADC_VGRID, 340, 0.98, 20), 340);
	assert_int_equal(calibration_image(&c, IMAGE, copy, err, sizeof(err)), 0);
	found = in_copy();
	/* what the board shows of 288 V is 288 V afterwards, within a count */
	adc[QS1_ADC_VGRID] = (int16_t)lrint(shows(QS1_ADC_VGRID, 288, 0.98, 20));
	adc[QS1_ADC_VPV1] = 12345;
	qs1_calibrate(&found, adc);
	assert_in_range(adc[QS1_ADC_VGRID], 14399, 14401);
	assert_int_equal(adc[QS1_ADC_VPV1], 12345);
}

static void an_image_without_a_calibration_section_is_refused(void **state)
{
	struct calibration c = { 0 };
	char err[256];

	(void)state;
	assert_int_equal(calibration_image(&c, "build/firmware/qs1-m4.elf", copy, err, sizeof(err)),
			 -ENOEXEC);
	assert_int_equal(calibration_image(&c, "Makefile", copy, err, sizeof(err)), -ENOEXEC);
	assert_int_equal(calibration_image(&c, "absent", copy, err, sizeof(err)), -ENOENT);
	calibration_add(&c, QS1_ADC_VGRID, 5000, 0);
	assert_int_equal(calibration_image(&c, IMAGE, copy, err, sizeof(err)), -ERANGE);
	assert_non_null(strstr(err, "grid.v"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(channels_have_the_names_of_the_stream),
		cmocka_unit_test(a_line_through_points_gives_gain_and_offset),
		cmocka_unit_test(one_point_gives_an_offset_only),
		cmocka_unit_test(implausible_points_are_refused),
		cmocka_unit_test(points_survive_a_round_trip_through_the_file),
		cmocka_unit_test(any_damage_to_the_file_is_detected),
		cmocka_unit_test(a_crafted_file_is_refused_with_its_line),
		cmocka_unit_test(the_firmware_accepts_the_calibrated_image),
		cmocka_unit_test(an_image_without_a_calibration_section_is_refused),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
