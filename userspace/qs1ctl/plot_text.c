// SPDX-License-Identifier: GPL-2.0-only
/*
 * A capture in the terminal: braille characters, which hold 2 by 4 dots each;
 * where there are none, one asterisk for all dots of a character.
 */
#include <langinfo.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../lib/util.h"
#include "wave.h"

#define ROWS 8
#define COLUMNS_MAX 200
#define LABEL_WIDTH 10

/* Dots of a character by column and row: Unicode numbers them down the columns, the last row last.
 */
static const uint8_t dots[2][4] = { { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } };

struct canvas {
	int columns;
	uint8_t cell[ROWS][COLUMNS_MAX];
};

static void set_dot(struct canvas *canvas, int x, int y)
{
	canvas->cell[y / 4][x / 2] |= dots[x % 2][y % 4];
}

/* One channel: for each column of dots the span of the values that fall into it. */
static void draw(struct canvas *canvas, const struct wave *wave, const float *value, double min,
		 double max)
{
	int width = canvas->columns * 2;
	int height = ROWS * 4;

	for (int x = 0; x < width; x++) {
		size_t from = wave->scans * x / width;
		size_t to = wave->scans * (x + 1) / width;
		double low = value[from], high = value[from];

		for (size_t n = from + 1; n < to; n++) {
			low = fmin(low, value[n]);
			high = fmax(high, value[n]);
		}
		for (int y = lround((max - high) / (max - min) * (height - 1));
		     y <= lround((max - low) / (max - min) * (height - 1)); y++) {
			set_dot(canvas, x, y);
		}
	}
}

static void print_cell(FILE *out, uint8_t cell, bool unicode)
{
	if (unicode) {
		/* U+2800 + dots, in UTF-8. */
		fprintf(out, "\xe2%c%c", 0xa0 + (cell >> 6), 0x80 + (cell & 0x3f));
	} else {
		putc(cell ? '*' : ' ', out);
	}
}

static void print_panel(const struct canvas *canvas, FILE *out, double min, double max,
			bool unicode)
{
	for (int row = 0; row < ROWS; row++) {
		if (row == 0 || row == ROWS - 1) {
			fprintf(out, "%*.4g ", LABEL_WIDTH - 1, row ? min : max);
		} else {
			fprintf(out, "%*s", LABEL_WIDTH, "");
		}
		for (int column = 0; column < canvas->columns; column++) {
			print_cell(out, canvas->cell[row][column], unicode);
		}
		fprintf(out, "\n");
	}
}

static void print_title(const struct wave *wave, const bool member[WAVE_CHANNELS], int first,
			FILE *out)
{
	const char *unit = wave->channel[first].unit;

	fprintf(out, "%*s", LABEL_WIDTH, "");
	for (size_t i = 0; i < wave->channels; i++) {
		if (member[i]) {
			fprintf(out, "%s%s", i == (size_t)first ? "" : ", ", wave->channel[i].name);
		}
	}
	fprintf(out, "%s%s\n", unit[0] ? " in " : "", unit);
}

void wave_plot_text(const struct wave *wave, FILE *out, int columns)
{
	bool unicode = !strcmp(nl_langinfo(CODESET), "UTF-8");
	bool member[WAVE_CHANNELS];
	struct canvas canvas = { .columns = columns - LABEL_WIDTH };
	char end[32];

	if (canvas.columns < 20 || canvas.columns > COLUMNS_MAX) {
		canvas.columns = canvas.columns < 20 ? 20 : COLUMNS_MAX;
	}
	for (int first = -1; (first = wave_group(wave, first, member)) >= 0;) {
		double min, max;

		memset(canvas.cell, 0, sizeof(canvas.cell));
		wave_range(wave, member, &min, &max);
		for (size_t i = 0; i < wave->channels; i++) {
			if (member[i]) {
				draw(&canvas, wave, wave->channel[i].value, min, max);
			}
		}
		print_title(wave, member, first, out);
		print_panel(&canvas, out, min, max, unicode);
	}
	snprintf(end, sizeof(end), "%.4g s", wave_time(wave, wave->scans));
	fprintf(out, "%*s%-10.4g%*s\n", LABEL_WIDTH, "", wave_time(wave, 0), canvas.columns - 10,
		end);
}
