// SPDX-License-Identifier: GPL-2.0-or-later
#include "calibration.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <qs1/crc32.h>

#include "crc32c.h"
#include "file.h"
#include "util.h"

/* Minimum spread of points for a gain: an error of 2 counts is then 0.05 %. */
#define SPREAD_MIN 4096
#define FILE_MAX 16384
/* A reference may be slightly outside the converter's range. */
#define VALUE_MAX_COUNTS 65536
#define IMAGE_MAX (4 << 20)

static const struct {
	const char *name;
	double lsb;
} channels[QS1_ADC_COUNT] = {
#define SUFFIX_VOLTAGE ".v"
#define SUFFIX_CURRENT ".i"
#define SUFFIX_TEMP ".t"
#define X(id, label, type, index, lsb) [QS1_ADC_##id] = { label SUFFIX_##type, lsb * 1e-6 },
	QS1_ADC_CHANNELS(X)
#undef X
};

const char *calibration_name(enum qs1_adc channel)
{
	return channels[channel].name;
}

double calibration_lsb(enum qs1_adc channel)
{
	return channels[channel].lsb;
}

int calibration_channel(const char *name)
{
	for (int i = 0; i < QS1_ADC_COUNT; i++) {
		if (!strcmp(name, channels[i].name)) {
			return i;
		}
	}
	return -ENOENT;
}

int calibration_add(struct calibration *calibration, enum qs1_adc channel, double counts,
		    double value)
{
	if (calibration->count == CALIBRATION_POINTS) {
		return -ENOSPC;
	}
	/* The converter has 16 bits; NaN fails both comparisons. */
	if (!(fabs(counts) <= 32768 && fabs(value) <= VALUE_MAX_COUNTS * channels[channel].lsb)) {
		return -ERANGE;
	}
	calibration->point[calibration->count].channel = channel;
	calibration->point[calibration->count].counts = counts;
	calibration->point[calibration->count].value = value;
	calibration->count++;
	return 0;
}

static int take_line(struct calibration *calibration, const char *line, char *err, size_t size)
{
	char name[32];
	double counts, value;
	int channel;

	if (sscanf(line, "%31s %lf %lf", name, &counts, &value) != 3) {
		snprintf(err, size, "expected CHANNEL COUNTS VALUE, found '%.60s'", line);
		return -EINVAL;
	}
	channel = calibration_channel(name);
	if (channel < 0) {
		snprintf(err, size, "unknown channel '%s'", name);
		return -EINVAL;
	}
	switch (calibration_add(calibration, channel, counts, value)) {
	case -ERANGE:
		snprintf(err, size,
			 "expected -32768 to 32768 counts and %.4g to %.4g, found '%.60s'",
			 -VALUE_MAX_COUNTS * calibration_lsb(channel),
			 VALUE_MAX_COUNTS * calibration_lsb(channel), line);
		return -ERANGE;
	case -ENOSPC:
		snprintf(err, size, "expected at most %d points", CALIBRATION_POINTS);
		return -ENOSPC;
	}
	return 0;
}

int calibration_parse(const char *text, size_t length, struct calibration *ret, char *err,
		      size_t size)
{
	struct calibration calibration = { 0 };
	const char *last = memmem(text, length, "checksum ", strlen("checksum "));
	char sum[32];

	if (!last) {
		snprintf(err, size, "expected a checksum in the last line, found none");
		return -EBADMSG;
	}
	snprintf(sum, sizeof(sum), "checksum %08" PRIx32 "\n", crc32c(0, text, last - text));
	if ((size_t)(text + length - last) != strlen(sum) || memcmp(last, sum, strlen(sum)) != 0) {
		snprintf(err, size, "checksum mismatch: the file is damaged, or was edited");
		return -EBADMSG;
	}
	for (int number = 1; text < last; number++) {
		const char *end = memchr(text, '\n', last - text) ?: last;
		char line[128], reason[256];
		int status;

		snprintf(line, sizeof(line), "%.*s", (int)(end - text), text);
		status = take_line(&calibration, line, reason, sizeof(reason));
		if (status < 0) {
			snprintf(err, size, "line %d: %s", number, reason);
			return status;
		}
		text = end + 1;
	}
	*ret = calibration;
	return 0;
}

int calibration_read(const char *path, struct calibration *ret, char *err, size_t size)
{
	FILE *file __cleanup(close_file) = fopen(path, "re");
	char text[FILE_MAX + 1], reason[512];
	size_t length;
	int status;

	if (!file && errno == ENOENT) {
		*ret = (struct calibration){ 0 };
		return 0;
	}
	if (!file) {
		status = -errno;
		snprintf(err, size, "%s: %s", path, strerror(-status));
		return status;
	}
	length = fread(text, 1, sizeof(text), file);
	if (ferror(file) || length > FILE_MAX) {
		status = length > FILE_MAX ? -EFBIG : -EIO;
		snprintf(err, size, "%s: %s", path, strerror(-status));
		return status;
	}
	status = calibration_parse(text, length, ret, reason, sizeof(reason));
	if (status < 0) {
		snprintf(err, size, "%s: %s", path, reason);
	}
	return status;
}

int calibration_write(const char *path, const struct calibration *calibration)
{
	char *text __cleanup(free_ptr) = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	if (!file) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < calibration->count; i++) {
		fprintf(file, "%s %.3f %.9g\n", calibration_name(calibration->point[i].channel),
			calibration->point[i].counts, calibration->point[i].value);
	}
	fflush(file);
	fprintf(file, "checksum %08" PRIx32 "\n", crc32c(0, text, length));
	return fclose(file) ? -ENOMEM : file_replace(path, text, length, 0644, true);
}

/* Least squares: read counts over expected counts. */
struct sums {
	double n;
	double x;
	double y;
	double xx;
	double xy;
	double min;
	double max;
};

static struct sums sum_up(const struct calibration *calibration, enum qs1_adc channel)
{
	struct sums s = { .min = INFINITY, .max = -INFINITY };

	for (size_t i = 0; i < calibration->count; i++) {
		double x = calibration->point[i].value / calibration_lsb(channel);
		double y = calibration->point[i].counts;

		if (calibration->point[i].channel != channel) {
			continue;
		}
		s.n++;
		s.x += x;
		s.y += y;
		s.xx += x * x;
		s.xy += x * y;
		s.min = fmin(s.min, x);
		s.max = fmax(s.max, x);
	}
	return s;
}

static double worst(const struct calibration *calibration, enum qs1_adc channel,
		    const struct calibration_line *line)
{
	double worst = 0;

	for (size_t i = 0; i < calibration->count; i++) {
		if (calibration->point[i].channel == channel) {
			worst = fmax(
				worst,
				fabs((calibration->point[i].counts - line->offset) * line->gain -
				     calibration->point[i].value / calibration_lsb(channel)));
		}
	}
	return worst;
}

int calibration_line(const struct calibration *calibration, enum qs1_adc channel,
		     struct calibration_line *ret)
{
	struct sums s = sum_up(calibration, channel);
	double slope = 1;

	*ret = (struct calibration_line){ .points = (size_t)s.n, .gain = 1 };
	if (s.n == 0) {
		return 0;
	}
	if (s.n > 1) {
		if (s.max - s.min < SPREAD_MIN) {
			return -EDOM;
		}
		slope = (s.n * s.xy - s.x * s.y) / (s.n * s.xx - s.x * s.x);
	}
	ret->offset = (s.y - slope * s.x) / s.n;
	ret->gain = 1 / slope;
	ret->worst = worst(calibration, channel, ret);
	if (!(ret->gain * QS1_CALIBRATION_ONE >= QS1_CALIBRATION_GAIN_MIN &&
	      ret->gain * QS1_CALIBRATION_ONE <= QS1_CALIBRATION_GAIN_MAX &&
	      fabs(ret->offset) <= QS1_CALIBRATION_OFFSET_MAX)) {
		return -ERANGE;
	}
	return 0;
}

static int derive(const struct calibration *calibration, struct qs1_calibration *ret, char *err,
		  size_t size)
{
	uint8_t *bytes = (uint8_t *)ret;

	*ret = (struct qs1_calibration){ .magic = QS1_CALIBRATION_MAGIC };
	for (int i = 0; i < QS1_ADC_COUNT; i++) {
		struct calibration_line line;
		int status = calibration_line(calibration, (enum qs1_adc)i, &line);

		if (status < 0) {
			snprintf(err, size, "%s: %s", calibration_name((enum qs1_adc)i),
				 status == -EDOM ? "its points are too close for a gain"
						 : "gain or offset outside the plausible range");
			return status;
		}
		ret->gain[i] = (uint16_t)lrint(line.gain * QS1_CALIBRATION_ONE);
		ret->offset[i] = (int16_t)lrint(line.offset);
	}
	ret->crc = qs1_crc32(bytes, bytes + offsetof(struct qs1_calibration, crc));
	return 0;
}

/* Bytes from @at on, if the image has so many. */
static bool copy_from(const uint8_t *image, size_t length, size_t at, void *to, size_t bytes)
{
	if (at > length || length - at < bytes) {
		return false;
	}
	memcpy(to, image + at, bytes);
	return true;
}

size_t calibration_place(const uint8_t *image, size_t length)
{
	static const char wanted[] = ".calibration";
	Elf32_Shdr names, section;
	char name[sizeof(wanted)];
	Elf32_Ehdr ehdr;

	if (!copy_from(image, length, 0, &ehdr, sizeof(ehdr)) ||
	    memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0 || ehdr.e_ident[EI_CLASS] != ELFCLASS32 ||
	    ehdr.e_ident[EI_DATA] != ELFDATA2LSB || ehdr.e_shentsize != sizeof(section) ||
	    ehdr.e_shstrndx >= ehdr.e_shnum ||
	    !copy_from(image, length, ehdr.e_shoff + (size_t)ehdr.e_shstrndx * sizeof(names),
		       &names, sizeof(names))) {
		return 0;
	}
	for (size_t i = 0; i < ehdr.e_shnum; i++) {
		if (!copy_from(image, length, ehdr.e_shoff + i * sizeof(section), &section,
			       sizeof(section))) {
			return 0;
		}
		if (section.sh_type == SHT_PROGBITS &&
		    section.sh_size == sizeof(struct qs1_calibration) &&
		    copy_from(image, length, (size_t)names.sh_offset + section.sh_name, name,
			      sizeof(name)) &&
		    memcmp(name, wanted, sizeof(name)) == 0 && section.sh_offset <= length &&
		    length - section.sh_offset >= section.sh_size) {
			return section.sh_offset;
		}
	}
	return 0;
}

int calibration_image(const struct calibration *calibration, const char *image, const char *copy,
		      char *err, size_t size)
{
	FILE *file __cleanup(close_file) = fopen(image, "re");
	uint8_t *bytes __cleanup(free_ptr) = malloc(IMAGE_MAX);
	struct qs1_calibration values;
	size_t length, at;
	int ret;

	if (!bytes) {
		return -ENOMEM;
	}
	if (!file) {
		ret = -errno;
		snprintf(err, size, "%s: %s", image, strerror(-ret));
		return ret;
	}
	length = fread(bytes, 1, IMAGE_MAX, file);
	at = calibration_place(bytes, length);
	if (!at || length == IMAGE_MAX) {
		snprintf(err, size, "%s: expected the firmware of a real board", image);
		return -ENOEXEC;
	}
	ret = derive(calibration, &values, err, size);
	if (ret < 0) {
		return ret;
	}
	memcpy(bytes + at, &values, sizeof(values));
	ret = file_replace(copy, (const char *)bytes, length, 0644, true);
	if (ret < 0) {
		snprintf(err, size, "%s: %s", copy, strerror(-ret));
	}
	return ret;
}
