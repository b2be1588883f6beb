// SPDX-License-Identifier: GPL-2.0-or-later
#include "names.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static const char *const states[] = {
#define X(id, name) [QS1_STATE_##id] = name,
	QS1_STATES(X)
#undef X
};

static const struct {
	const char *name;
	const char *text;
} faults[] = {
#define X(id, text) [QS1_FAULT_##id] = { #id, text },
	QS1_FAULTS(X) QS1_HOST_FAULTS(X)
#undef X
};

static const char *const causes[] = {
#define X(id, name) [QS1_CAUSE_##id] = name,
	QS1_CAUSES(X)
#undef X
};

const char *qs1_state_name(unsigned int state)
{
	return state < QS1_STATE_COUNT ? states[state] : "?";
}

const char *qs1_fault_name(unsigned int fault)
{
	return fault < QS1_FAULT_ALL_COUNT ? faults[fault].name : "?";
}

const char *qs1_fault_text(unsigned int fault)
{
	return fault < QS1_FAULT_ALL_COUNT ? faults[fault].text : "?";
}

const char *qs1_cause_name(unsigned int cause)
{
	if (cause >= QS1_CAUSE_FAULT_BASE) {
		return qs1_fault_name(cause - QS1_CAUSE_FAULT_BASE);
	}
	return cause < QS1_CAUSE_COUNT ? causes[cause] : "?";
}

int qs1_state_find(const char *name)
{
	for (int i = 0; i < QS1_STATE_COUNT; i++) {
		if (!strcmp(states[i], name)) {
			return i;
		}
	}
	return -ENOENT;
}

int qs1_fault_find(const char *name)
{
	for (int i = 0; i < QS1_FAULT_ALL_COUNT; i++) {
		if (!strcmp(faults[i].name, name)) {
			return i;
		}
	}
	return -ENOENT;
}

int qs1_fault_find_word(const char *word)
{
	char name[32];
	size_t n = 0;

	for (; word[n] && n < sizeof(name) - 1; n++) {
		name[n] = word[n] == '-' ? '_' : toupper((unsigned char)word[n]);
	}
	name[n] = '\0';
	return word[n] ? -ENOENT : qs1_fault_find(name);
}
