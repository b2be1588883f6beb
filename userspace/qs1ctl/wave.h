/* SPDX-License-Identifier: GPL-2.0-only */
/* Samples of channels over a time: captured by scope, read by dump, shown in any format. */
#ifndef QS1CTL_WAVE_H
#define QS1CTL_WAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <qs1/channels.h>
#include <qs1/trip_wave.h>

#include "../lib/writer.h"

/* All ADC channels, the PLL's phase and the status. */
#define WAVE_CHANNELS (QS1_SCAN_CHANNELS + 2)
#define WAVE_NAME_SIZE 32

/**
 * struct wave_channel - one quantity
 * @name: "grid.v", "pv1.i", "pll", "status"
 * @unit: "V", "A", "rad" or ""
 * @scale: of one count, in the unit
 * @value: one for each scan, in the unit; NULL if the channel is not selected
 */
struct wave_channel {
	char name[WAVE_NAME_SIZE];
	const char *unit;
	double scale;
	float *value;
};

/**
 * struct wave - the capture
 * @hz: scans in a second
 * @scans: in each channel
 * @zero: scan whose time is 0
 * @lost: scans that are missing in between
 * @channels: how many there are
 * @channel: each of them
 */
struct wave {
	double hz;
	size_t scans;
	size_t zero;
	unsigned long long lost;
	size_t channels;
	struct wave_channel channel[WAVE_CHANNELS];
};

void wave_free(struct wave *wave);

/* Time of a scan in s. */
double wave_time(const struct wave *wave, size_t scan);

/**
 * wave_name() - a channel's name from the IIO type and label
 * @type: "voltage", "current", "phase" or "index"
 * @channel: name and unit are set
 *
 * Return: 0, or -ENOENT for another type.
 */
int wave_name(const char *type, const char *label, struct wave_channel *channel);

/**
 * wave_select() - which channels a word means
 * @word: a channel's name; or the part before its point, which means all
 *        channels of that place; or "all"
 * @wanted: one for each channel of @wave, set where it is meant
 * @err: on failure the list of valid words
 *
 * Return: 0 or -ENOENT.
 */
int wave_select(const struct wave *wave, const char *word, bool wanted[WAVE_CHANNELS], char *err,
		size_t size);

/**
 * wave_alloc() - room for the values of channels
 * @wanted: one for each channel
 *
 * Return: 0 or -ENOMEM.
 */
int wave_alloc(struct wave *wave, const bool wanted[WAVE_CHANNELS], size_t scans);

/**
 * wave_trip() - decode the driver's "trip_wave"
 * @data: @size bytes as read
 * @ret_head: which trip; untouched on failure
 * @ret_wave: freed by wave_free(); untouched on failure
 *
 * Return: 0; -EPROTO when the header contradicts itself or @size; -ENOMEM.
 */
int wave_trip(const void *data, size_t size, struct qs1_trip_wave *ret_head, struct wave *ret_wave);

/* The names, units and counts of all channels that a scan of the contract has. */
void wave_contract(struct wave *wave);

/**
 * wave_write() - rate, length and each channel's extremes, mean and RMS
 * @values: each value too; of use for programs only
 */
void wave_write(const struct wave *wave, struct writer *writer, bool values);

/* A line of names, then one for each scan. Return: 0 or a negative errno. */
int wave_csv(const struct wave *wave, FILE *out);

/**
 * wave_group() - channels that share a full scale, and so a panel of a plot
 * @wave: capture
 * @after: first channel of the group before; -1 for the first group
 * @member: set for each channel of the group
 *
 * Return: the group's first channel, or -1 when there is no further group.
 */
int wave_group(const struct wave *wave, int after, bool member[WAVE_CHANNELS]);

/* Smallest and largest value of a group; they differ. */
void wave_range(const struct wave *wave, const bool member[WAVE_CHANNELS], double *ret_min,
		double *ret_max);

/* Draw in the terminal, @columns wide. */
void wave_plot_text(const struct wave *wave, FILE *out, int columns);

/**
 * wave_plot_png() - draw a picture
 * @path: of the file
 * @title: above it
 *
 * Return: 0 or a negative errno.
 */
int wave_plot_png(const struct wave *wave, const char *path, const char *title);

#endif /* QS1CTL_WAVE_H */
