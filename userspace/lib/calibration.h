/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calibration of one board's measuring channels: readings against a reference, in
 * a file with a checksum; gains and offsets from them; and a firmware image that
 * holds those.
 */
#ifndef QS1_LIB_CALIBRATION_H
#define QS1_LIB_CALIBRATION_H

#include <stddef.h>
#include <stdint.h>

#include <qs1/calibration.h>

#define CALIBRATION_POINTS 128

/**
 * struct calibration - the points
 * @count: how many
 * @point: channel, its reading in counts, the reference in its unit
 */
struct calibration {
	size_t count;
	struct {
		enum qs1_adc channel;
		double counts;
		double value;
	} point[CALIBRATION_POINTS];
};

/**
 * struct calibration_line - of one channel
 * @points: that it is drawn through
 * @gain: 1 without points
 * @offset: counts
 * @worst: distance of a point from it, counts
 */
struct calibration_line {
	size_t points;
	double gain;
	double offset;
	double worst;
};

/* A channel's name, as in "grid.v"; that of the temperatures is "case.t" and "power-stage.t". */
const char *calibration_name(enum qs1_adc channel);

/* The channel of a name, or -ENOENT. */
int calibration_channel(const char *name);

/* What one count is, in the channel's unit. */
double calibration_lsb(enum qs1_adc channel);

/**
 * calibration_parse() - points of a file's text
 * @text: lines CHANNEL COUNTS VALUE, and last "checksum", CRC-32C of the lines before it
 * @length: of it
 * @ret: untouched on failure
 * @err: on failure the reason, with the line
 *
 * Return: 0; -EBADMSG for a checksum mismatch; -EINVAL for a line that is none;
 * -ERANGE for a value that no channel can have; -ENOSPC for too many points.
 */
int calibration_parse(const char *text, size_t length, struct calibration *ret, char *err,
		      size_t size);

/**
 * calibration_read() - points of a file
 *
 * A file that does not exist has no points.
 *
 * Return: as calibration_parse(), or another negative errno.
 */
int calibration_read(const char *path, struct calibration *ret, char *err, size_t size);

/* Replace the file, whole or not at all. Return: 0 or a negative errno. */
int calibration_write(const char *path, const struct calibration *calibration);

/*
 * Add a point. Return: 0; -ENOSPC; -ERANGE for counts that no converter shows, or
 * a value of more than 65536 counts.
 */
int calibration_add(struct calibration *calibration, enum qs1_adc channel, double counts,
		    double value);

/**
 * calibration_line() - gain and offset of a channel
 *
 * One point gives the offset alone; from two on it is the straight line with the
 * smallest squares.
 *
 * Return: 0; -EDOM when the points are too near to each other for a gain (an
 * eighth of full scale); -ERANGE when gain or offset is more than a front end
 * can be off by. @ret is written in any case.
 */
int calibration_line(const struct calibration *calibration, enum qs1_adc channel,
		     struct calibration_line *ret);

/* Offset of the calibration in a 32-bit little-endian ELF image, or 0 for none. */
size_t calibration_place(const uint8_t *image, size_t length);

/**
 * calibration_image() - a copy of a firmware image with gains and offsets in it
 * @err: on failure the reason
 *
 * Return: 0; -ENOEXEC for a file without a place for them; what
 * calibration_line() returns for a channel; another negative errno.
 */
int calibration_image(const struct calibration *calibration, const char *image, const char *copy,
		      char *err, size_t size);

#endif /* QS1_LIB_CALIBRATION_H */
