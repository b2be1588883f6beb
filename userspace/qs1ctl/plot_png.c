// SPDX-License-Identifier: GPL-2.0-only
/* A capture as a picture: one panel for each full scale, one axis of time. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <cairo/cairo.h>

#include "../lib/util.h"
#include "wave.h"

#define WIDTH 1100
#define LEFT 80
#define RIGHT 20
#define TOP 50
#define BOTTOM 50
#define PANEL 180 /* height of one, with the gap above it */
#define GAP 34
#define FONT "DejaVu Sans"

/* Colours that colour-blind people can distinguish (Okabe and Ito 2008). */
static const double colours[][3] = {
	{ 0.00, 0.45, 0.70 },
	{ 0.84, 0.37, 0.00 },
	{ 0.00, 0.62, 0.45 },
	{ 0.80, 0.47, 0.65 },
};

/* A rectangle on the paper and what it shows. */
struct panel {
	double top, height;
	double min, max;
	double from_s, to_s;
};

static double x_of(const struct panel *panel, double t_s)
{
	return LEFT +
	       (t_s - panel->from_s) / (panel->to_s - panel->from_s) * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct panel *panel, double value)
{
	return panel->top + (panel->max - value) / (panel->max - panel->min) * panel->height;
}

/* A distance of 1, 2 or 5 times a power of ten that divides a range into at most @most parts. */
static double tick_step(double range, int most)
{
	double decade = pow(10, floor(log10(range / most)));
	static const double factors[] = { 1, 2, 5 };

	for (size_t i = 0; i < ARRAY_SIZE(factors); i++) {
		if (factors[i] * decade * most >= range) {
			return factors[i] * decade;
		}
	}
	return 10 * decade;
}

static void put_text(cairo_t *cr, double x, double y, double align, const char *text)
{
	cairo_text_extents_t extents;

	cairo_text_extents(cr, text, &extents);
	cairo_move_to(cr, x - align * extents.x_advance, y);
	cairo_show_text(cr, text);
}

static void put_line(cairo_t *cr, double x0, double y0, double x1, double y1)
{
	cairo_move_to(cr, x0, y0);
	cairo_line_to(cr, x1, y1);
	cairo_stroke(cr);
}

/* Format a multiple of the step; print 0 for a value that differs from 0 only by rounding. */
static void tick_text(char *text, size_t size, double value, double step)
{
	snprintf(text, size, "%.6g", fabs(value) < step * 1e-6 ? 0 : value);
}

static void draw_grid(cairo_t *cr, const struct panel *panel)
{
	double step = tick_step(panel->max - panel->min, 5);
	char text[32];

	cairo_set_line_width(cr, 0.5);
	for (double v = ceil(panel->min / step) * step; v <= panel->max + step * 1e-6; v += step) {
		cairo_set_source_rgb(cr, 0.8, 0.8, 0.8);
		put_line(cr, LEFT, y_of(panel, v), WIDTH - RIGHT, y_of(panel, v));
		cairo_set_source_rgb(cr, 0, 0, 0);
		tick_text(text, sizeof(text), v, step);
		put_text(cr, LEFT - 8, y_of(panel, v) + 4, 1, text);
	}
	step = tick_step(panel->to_s - panel->from_s, 10);
	cairo_set_source_rgb(cr, 0.8, 0.8, 0.8);
	for (double t = ceil(panel->from_s / step) * step; t <= panel->to_s; t += step) {
		put_line(cr, x_of(panel, t), panel->top, x_of(panel, t),
			 panel->top + panel->height);
	}
	cairo_set_source_rgb(cr, 0, 0, 0);
	cairo_rectangle(cr, LEFT, panel->top, WIDTH - LEFT - RIGHT, panel->height);
	cairo_stroke(cr);
}

static void draw_time(cairo_t *cr, const struct panel *panel)
{
	double step = tick_step(panel->to_s - panel->from_s, 10);
	double y = panel->top + panel->height;
	char text[32];

	for (double t = ceil(panel->from_s / step) * step; t <= panel->to_s; t += step) {
		tick_text(text, sizeof(text), t * 1000, step * 1000);
		put_text(cr, x_of(panel, t), y + 16, 0.5, text);
	}
	put_text(cr, (LEFT + WIDTH - RIGHT) / 2.0, y + 36, 0.5, "time in ms");
}

/*
 * The values as one line; where there are more than two to a pixel, only the
 * extremes of each pixel's column, which look the same.
 */
static void draw_channel(cairo_t *cr, const struct wave *wave, const float *value,
			 const struct panel *panel)
{
	size_t pixels = WIDTH - LEFT - RIGHT;
	size_t columns = wave->scans < 2 * pixels ? wave->scans : pixels;

	/* Drawing text sets cairo's current point; start a new path without it. */
	cairo_new_path(cr);
	for (size_t x = 0; x < columns; x++) {
		size_t from = wave->scans * x / columns, to = wave->scans * (x + 1) / columns;
		double at = x_of(panel, wave_time(wave, from));
		double low = value[from], high = value[from];

		for (size_t n = from + 1; n < to; n++) {
			low = fmin(low, value[n]);
			high = fmax(high, value[n]);
		}
		cairo_line_to(cr, at, y_of(panel, low));
		cairo_line_to(cr, at, y_of(panel, high));
	}
	cairo_stroke(cr);
}

static void draw_channels(cairo_t *cr, const struct wave *wave, const bool member[WAVE_CHANNELS],
			  int first, const struct panel *panel)
{
	double legend = LEFT;
	size_t colour = 0;
	char text[80];

	cairo_set_line_width(cr, 1.2);
	for (size_t i = first; i < wave->channels; i++) {
		const struct wave_channel *channel = &wave->channel[i];
		const double *rgb = colours[colour % ARRAY_SIZE(colours)];

		if (!member[i]) {
			continue;
		}
		cairo_set_source_rgb(cr, rgb[0], rgb[1], rgb[2]);
		draw_channel(cr, wave, channel->value, panel);
		put_line(cr, legend, panel->top - 11, legend + 20, panel->top - 11);
		snprintf(text, sizeof(text), "%s%s%s", channel->name,
			 channel->unit[0] ? " in " : "", channel->unit);
		put_text(cr, legend + 26, panel->top - 7, 0, text);
		legend += 190;
		colour++;
	}
}

static void draw_zero(cairo_t *cr, const struct wave *wave, const struct panel *panel)
{
	static const double dash[] = { 6, 4 };

	if (wave->zero == 0) {
		return;
	}
	cairo_set_source_rgb(cr, 0, 0, 0);
	cairo_set_line_width(cr, 1);
	cairo_set_dash(cr, dash, 2, 0);
	put_line(cr, x_of(panel, 0), panel->top, x_of(panel, 0), panel->top + panel->height);
	cairo_set_dash(cr, NULL, 0, 0);
}

static void draw(cairo_t *cr, const struct wave *wave, const char *title)
{
	bool member[WAVE_CHANNELS];
	struct panel panel = {
		.top = TOP - PANEL + GAP,
		.height = PANEL - GAP,
		.from_s = wave_time(wave, 0),
		.to_s = wave_time(wave, wave->scans),
	};

	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_paint(cr);
	cairo_set_source_rgb(cr, 0, 0, 0);
	cairo_select_font_face(cr, FONT, CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cr, 16);
	put_text(cr, LEFT, 28, 0, title);
	cairo_set_font_size(cr, 12);
	for (int first = -1; (first = wave_group(wave, first, member)) >= 0;) {
		double margin;

		panel.top += PANEL;
		wave_range(wave, member, &panel.min, &panel.max);
		margin = (panel.max - panel.min) * 0.05;
		panel.min -= margin;
		panel.max += margin;
		draw_grid(cr, &panel);
		draw_channels(cr, wave, member, first, &panel);
		draw_zero(cr, wave, &panel);
	}
	cairo_set_source_rgb(cr, 0, 0, 0);
	draw_time(cr, &panel);
}

static int count_groups(const struct wave *wave)
{
	bool member[WAVE_CHANNELS];
	int groups = 0;

	for (int first = -1; (first = wave_group(wave, first, member)) >= 0;) {
		groups++;
	}
	return groups;
}

int wave_plot_png(const struct wave *wave, const char *path, const char *title)
{
	int height = TOP + count_groups(wave) * PANEL + BOTTOM;
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, height);
	cairo_t *cr = cairo_create(surface);
	cairo_status_t status;

	draw(cr, wave, title);
	status = cairo_status(cr);
	if (status == CAIRO_STATUS_SUCCESS) {
		errno = 0;
		status = cairo_surface_write_to_png(surface, path);
	}
	cairo_destroy(cr);
	cairo_surface_destroy(surface);
	if (status == CAIRO_STATUS_SUCCESS) {
		return 0;
	}
	return status == CAIRO_STATUS_NO_MEMORY ? -ENOMEM : errno ? -errno : -EIO;
}
