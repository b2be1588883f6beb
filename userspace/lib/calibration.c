// SPDX-License-Identifier: GPL-2.0-only
#include "calibration.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <qs1/crc32.h>

#include "crc32c.h"
#include "util.h"

/* Points nearer than this tell no gain: an error of 2 counts would be 0.05 %. */
#define SPREAD_MIN 4096
#define FILE_MAX 16384
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

	if (sscanf(line, "%31s %lf %lf", name, &counts, &value) != 3 || !isfinite(counts) ||
	    !isfinite(value)) {
		snprintf(err, size, "expected CHANNEL COUNTS VALUE, found '%s'", line);
		return -EINVAL;
	}
	channel = calibration_channel(name);
	if (channel < 0) {
		snprintf(err, size, "unknown channel '%s'", name);
		return -EINVAL;
	}
	return calibration_add(calibration, (enum qs1_adc)channel, counts, value);
}

/* All lines but the last, whose checksum has been found right. */
static int take_lines(struct calibration *calibration, char *text, char *err, size_t size)
{
	char *rest = text;

	for (int number = 1; *rest; number++) {
		char *line = strsep(&rest, "\n"), reason[128];
		int ret = take_line(calibration, line, reason, sizeof(reason));

		if (ret < 0) {
			snprintf(err, size, "line %d: %s", number, reason);
			return ret;
		}
	}
	return 0;
}

int calibration_read(const char *path, struct calibration *ret, char *err, size_t size)
{
	FILE *file __cleanup(close_file) = fopen(path, "re");
	struct calibration calibration = { 0 };
	char text[FILE_MAX], *last;
	uint32_t sum;
	size_t length;
	int status;

	if (!file && errno == ENOENT) {
		*ret = calibration;
		return 0;
	}
	if (!file) {
		snprintf(err, size, "%s: %s", path, strerror(errno));
		return -EINVAL;
	}
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = 0;
	last = strstr(text, "checksum ");
	if (!last || sscanf(last, "checksum %" SCNx32 "\n", &sum) != 1 ||
	    sum != crc32c(0, text, (size_t)(last - text))) {
		snprintf(err, size, "%s: its checksum is not that of its lines: damaged, or edited",
			 path);
		return -EBADMSG;
	}
	*last = 0;
	status = take_lines(&calibration, text, err, size);
	if (status == 0) {
		*ret = calibration;
	}
	return status;
}

int calibration_write(const char *path, const struct calibration *calibration)
{
	char text[FILE_MAX], temporary[FILENAME_MAX];
	size_t length = 0;
	FILE *file;

	for (size_t i = 0; i < calibration->count; i++) {
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s %.3f %.9g\n",
					   calibration_name(calibration->point[i].channel),
					   calibration->point[i].counts,
					   calibration->point[i].value);
	}
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	file = fopen(temporary, "we");
	if (!file) {
		return -errno;
	}
	fprintf(file, "%schecksum %08" PRIx32 "\n", length ? text : "", crc32c(0, text, length));
	if (fflush(file) || fsync(fileno(file)) || ferror(file)) {
		fclose(file);
		unlink(temporary);
		return -EIO;
	}
	fclose(file);
	return rename(temporary, path) ? -errno : 0;
}

/* Sums of the squares' method: counts over the counts that there should have been. */
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
				 status == -EDOM ? "its points are too near to each other"
						 : "gain or offset is not that of a sound board");
			return status;
		}
		ret->gain[i] = (uint16_t)lrint(line.gain * QS1_CALIBRATION_ONE);
		ret->offset[i] = (int16_t)lrint(line.offset);
	}
	ret->crc = qs1_crc32(bytes, bytes + offsetof(struct qs1_calibration, crc));
	return 0;
}

/* Where the section lies in a 32-bit ELF, or 0. */
static size_t find_section(const uint8_t *image, size_t length)
{
	const Elf32_Ehdr *ehdr = (const void *)image;
	const Elf32_Shdr *shdr, *names;

	if (length < sizeof(*ehdr) || memcmp(image, ELFMAG, SELFMAG) ||
	    image[EI_CLASS] != ELFCLASS32 || ehdr->e_shentsize != sizeof(*shdr) ||
	    ehdr->e_shstrndx >= ehdr->e_shnum || ehdr->e_shoff > length ||
	    (length - ehdr->e_shoff) / sizeof(*shdr) < ehdr->e_shnum) {
		return 0;
	}
	shdr = (const void *)(image + ehdr->e_shoff);
	names = &shdr[ehdr->e_shstrndx];
	if (names->sh_offset > length || length - names->sh_offset < names->sh_size) {
		return 0;
	}
	for (int i = 0; i < ehdr->e_shnum; i++) {
		const char *name = (const char *)image + names->sh_offset + shdr[i].sh_name;

		if (shdr[i].sh_name < names->sh_size &&
		    strnlen(name, names->sh_size - shdr[i].sh_name) < names->sh_size &&
		    !strcmp(name, ".calibration") &&
		    shdr[i].sh_size == sizeof(struct qs1_calibration) &&
		    shdr[i].sh_offset < length &&
		    length - shdr[i].sh_offset >= sizeof(struct qs1_calibration)) {
			return shdr[i].sh_offset;
		}
	}
	return 0;
}

static int copy_out(const char *path, const uint8_t *image, size_t length)
{
	FILE *file = fopen(path, "we");
	bool bad;

	if (!file) {
		return -errno;
	}
	bad = fwrite(image, 1, length, file) != length;
	return fclose(file) || bad ? -EIO : 0;
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
	at = find_section(bytes, length);
	if (!at || length == IMAGE_MAX) {
		snprintf(err, size, "%s: expected the firmware of a real board", image);
		return -ENOEXEC;
	}
	ret = derive(calibration, &values, err, size);
	if (ret < 0) {
		return ret;
	}
	memcpy(bytes + at, &values, sizeof(values));
	ret = copy_out(copy, bytes, length);
	if (ret < 0) {
		snprintf(err, size, "%s: %s", copy, strerror(-ret));
	}
	return ret;
}
