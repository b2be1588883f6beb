// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qs1-scan: labels in a photo. Reads a JPEG file from standard input and prints a line for each
 * code that it finds: symbology, blank, text. It runs for one picture, in a sandbox, because
 * libjpeg and libzbar decode what a client has sent.
 *
 * Exit status: 0, also without a code; 1 for a picture that is none; 2 without the sandbox.
 */
#include <errno.h>
#include <iconv.h>
#include <math.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jpeglib.h>
#include <zbar.h>

#include "../service/sandbox.h"

#define FILE_MAX (16 * 1024 * 1024)
#define MEMORY_MAX (256 * 1024 * 1024)
#define SECONDS_MAX 20
/* A larger picture is decoded at half, a quarter, an eighth of its size. */
#define PIXELS_MAX (3000 * 2250)
/*
 * zbar does not find Code 128 at 20 and 45 degrees (0 of 12 in a trial); with these turns it found
 * 20 of 20 at any angle.
 */
#define TURN_DEGREES 15
#define TURNS 6
#define CODES_MAX 64
#define TEXT_MAX 256

/**
 * struct picture - grey values
 */
struct picture {
	unsigned int width;
	unsigned int height;
	uint8_t *pixel;
};

/* libjpeg ends the process when told nothing else. */
struct failure {
	struct jpeg_error_mgr manager;
	jmp_buf jump;
};

static void on_failure(j_common_ptr info)
{
	struct failure *failure = (struct failure *)info->err;

	longjmp(failure->jump, 1);
}

static void on_message(j_common_ptr info)
{
	(void)info;
}

/* Decode to grey. Return false for what is no JPEG picture. */
static bool decode(const uint8_t *bytes, size_t n, struct picture *picture)
{
	struct jpeg_decompress_struct info;
	struct failure failure;

	info.err = jpeg_std_error(&failure.manager);
	failure.manager.error_exit = on_failure;
	failure.manager.output_message = on_message;
	if (setjmp(failure.jump)) {
		jpeg_destroy_decompress(&info);
		return false;
	}
	jpeg_create_decompress(&info);
	jpeg_mem_src(&info, bytes, n);
	jpeg_read_header(&info, TRUE);
	info.out_color_space = JCS_GRAYSCALE;
	info.scale_num = 8;
	info.scale_denom = 8;
	jpeg_calc_output_dimensions(&info);
	while ((uint64_t)info.output_width * info.output_height > PIXELS_MAX &&
	       info.scale_num > 1) {
		info.scale_num /= 2;
		jpeg_calc_output_dimensions(&info);
	}
	if ((uint64_t)info.output_width * info.output_height > PIXELS_MAX) {
		jpeg_destroy_decompress(&info);
		return false;
	}
	picture->width = info.output_width;
	picture->height = info.output_height;
	picture->pixel = malloc((size_t)picture->width * picture->height);
	if (!picture->pixel) {
		jpeg_destroy_decompress(&info);
		return false;
	}
	jpeg_start_decompress(&info);
	while (info.output_scanline < info.output_height) {
		JSAMPROW row = picture->pixel + (size_t)info.output_scanline * picture->width;

		jpeg_read_scanlines(&info, &row, 1);
	}
	jpeg_finish_decompress(&info);
	jpeg_destroy_decompress(&info);
	return true;
}

/* Turn about the centre, with white around; the nearest pixel is near enough. */
static bool turn(const struct picture *from, double degrees, struct picture *to)
{
	double angle = degrees * M_PI / 180;
	double c = cos(angle), s = sin(angle);
	int width = ceil(from->width * fabs(c) + from->height * fabs(s));
	int height = ceil(from->width * fabs(s) + from->height * fabs(c));

	to->width = width;
	to->height = height;
	to->pixel = malloc((size_t)width * height);
	if (!to->pixel) {
		return false;
	}
	for (int y = 0; y < height; y++) {
		for (int x = 0; x < width; x++) {
			double dx = x - width / 2.0, dy = y - height / 2.0;
			long sx = lround(dx * c + dy * s + from->width / 2.0);
			long sy = lround(-dx * s + dy * c + from->height / 2.0);
			bool inside = sx >= 0 && sy >= 0 && sx < (long)from->width &&
				      sy < (long)from->height;

			to->pixel[(size_t)y * width + x] =
				inside ? from->pixel[(size_t)sy * from->width + sx] : 255;
		}
	}
	return true;
}

static struct {
	char text[CODES_MAX][TEXT_MAX];
	int count;
} found;

/* Print a code once; one with control characters is no label. */
static void report(const char *symbology, const char *text)
{
	for (const char *at = text; *at; at++) {
		if ((unsigned char)*at < ' ') {
			return;
		}
	}
	for (int i = 0; i < found.count; i++) {
		if (!strcmp(found.text[i], text)) {
			return;
		}
	}
	if (found.count == CODES_MAX || strlen(text) >= TEXT_MAX) {
		return;
	}
	strcpy(found.text[found.count++], text);
	printf("%s %s\n", symbology, text);
}

static void scan(zbar_image_scanner_t *scanner, const struct picture *picture)
{
	zbar_image_t *image = zbar_image_create();

	zbar_image_set_format(image, zbar_fourcc('Y', '8', '0', '0'));
	zbar_image_set_size(image, picture->width, picture->height);
	zbar_image_set_data(image, picture->pixel, (unsigned long)picture->width * picture->height,
			    NULL);
	if (zbar_scan_image(scanner, image) > 0) {
		const zbar_symbol_t *symbol = zbar_image_first_symbol(image);

		for (; symbol; symbol = zbar_symbol_next(symbol)) {
			report(zbar_get_symbol_name(zbar_symbol_get_type(symbol)),
			       zbar_symbol_get_data(symbol));
		}
	}
	zbar_image_destroy(image);
}

static size_t read_all(uint8_t *bytes, size_t max)
{
	size_t n = 0;
	ssize_t got;

	while (n < max && (got = read(STDIN_FILENO, bytes + n, max - n)) > 0) {
		n += got;
	}
	return n;
}

/* zbar converts texts with iconv, which loads its tables from files at the first use. */
static void load_tables(void)
{
	static const char *const names[] = { "ISO8859-1", "SJIS", "BIG5", "UTF-8" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)iconv_open("UTF-8", names[i]);
	}
}

int main(void)
{
	uint8_t *bytes = malloc(FILE_MAX + 1);
	zbar_image_scanner_t *scanner;
	struct picture picture = { 0 };
	size_t n;

	load_tables();
	if (!bytes || sandbox_enter(MEMORY_MAX, SECONDS_MAX) < 0) {
		fprintf(stderr, "qs1-scan: sandbox: %s\n", strerror(errno));
		return 2;
	}
	n = read_all(bytes, FILE_MAX + 1);
	if (n > FILE_MAX || !decode(bytes, n, &picture)) {
		fprintf(stderr, "qs1-scan: expected a JPEG picture of at most 16 MiB\n");
		return 1;
	}
	free(bytes);
	scanner = zbar_image_scanner_create();
	zbar_image_scanner_set_config(scanner, ZBAR_NONE, ZBAR_CFG_ENABLE, 0);
	zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_ENABLE, 1);
	zbar_image_scanner_set_config(scanner, ZBAR_CODE128, ZBAR_CFG_ENABLE, 1);
	scan(scanner, &picture);
	for (int i = 1; i < TURNS; i++) {
		struct picture turned;

		if (turn(&picture, i * TURN_DEGREES, &turned)) {
			scan(scanner, &turned);
			free(turned.pixel);
		}
	}
	zbar_image_scanner_destroy(scanner);
	free(picture.pixel);
	return fflush(stdout) ? 1 : 0;
}
