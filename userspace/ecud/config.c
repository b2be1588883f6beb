// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "util.h"

enum kind { KIND_TEXT, KIND_NUMBER };

#define STANDARD_TEXT(standard) .text = (standard)
#define STANDARD_NUMBER(standard) .number = (standard)

static const struct {
	const char *name;
	enum kind kind;
	size_t offset;
	double least;
	double most;
	const char *text;
	double number;
} key[] = {
#define X(id, member, kind_, standard, least_, most_, help)                                        \
	{ .name = #member,                                                                         \
	  .kind = KIND_##kind_,                                                                    \
	  .offset = offsetof(struct config, member),                                               \
	  .least = least_,                                                                         \
	  .most = most_,                                                                           \
	  STANDARD_##kind_(standard) },
	CONFIG_KEYS(X)
#undef X
};

static int take_text(char *member, size_t i, const char *value, char *err, size_t size)
{
	size_t n = strlen(value);

	if ((double)n < key[i].least || (double)n > key[i].most) {
		snprintf(err, size, "%s: expected %g to %g characters, found %zu", key[i].name,
			 key[i].least, key[i].most, n);
		return -EINVAL;
	}
	memcpy(member, value, n + 1);
	return 0;
}

static int take_number(double *member, size_t i, const char *value, char *err, size_t size)
{
	char *end;
	double number = strtod(value, &end);

	if (end == value || *end || !(number >= key[i].least && number <= key[i].most)) {
		snprintf(err, size, "%s: expected a number from %g to %g, found '%s'", key[i].name,
			 key[i].least, key[i].most, value);
		return -EINVAL;
	}
	*member = number;
	return 0;
}

static int take_line(void *ctx, int line, const char *name, const char *value, char *err,
		     size_t size)
{
	(void)line;
	for (size_t i = 0; i < ARRAY_SIZE(key); i++) {
		char *member = (char *)ctx + key[i].offset;

		if (strcmp(key[i].name, name)) {
			continue;
		}
		return key[i].kind == KIND_TEXT
			       ? take_text(member, i, value, err, size)
			       : take_number((double *)(void *)member, i, value, err, size);
	}
	snprintf(err, size, "unknown name '%s'; ecud.conf(5) lists the names", name);
	return -EINVAL;
}

static int check(const struct config *config, const char *path, char *err, size_t size)
{
	struct serial id;

	if (*config->ecu_id && serial_parse(config->ecu_id, &id) < 0) {
		snprintf(err, size, "%s: ecu_id: expected 12 decimal digits, found '%s'", path,
			 config->ecu_id);
		return -EINVAL;
	}
	if (*config->radio_id && (strlen(config->radio_id) != 12 ||
				  strspn(config->radio_id, "0123456789abcdefABCDEF") != 12)) {
		snprintf(err, size, "%s: radio_id: expected 12 hexadecimal digits, found '%s'",
			 path, config->radio_id);
		return -EINVAL;
	}
	return 0;
}

int config_load(const char *path, struct config *ret, char *err, size_t size)
{
	struct config config;
	const char *name = path ? path : CONFIG_FILE;
	int parsed;

	memset(&config, 0, sizeof(config));
	for (size_t i = 0; i < ARRAY_SIZE(key); i++) {
		char *member = (char *)&config + key[i].offset;

		if (key[i].kind == KIND_TEXT) {
			strcpy(member, key[i].text);
		} else {
			*(double *)(void *)member = key[i].number;
		}
	}
	parsed = qs1_conf_read(name, take_line, &config, err, size);
	if (parsed < 0 && (path || parsed != -ENOENT)) {
		return parsed;
	}
	parsed = check(&config, name, err, size);
	if (parsed < 0) {
		return parsed;
	}
	*ret = config;
	return 0;
}
