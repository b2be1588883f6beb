/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of codes.h as text, both ways, and the faults that Linux adds. */
#ifndef QS1_NAMES_H
#define QS1_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include <qs1/codes.h>

/*
 * Faults that qs1d finds itself, numbered after the firmware's. Columns:
 * identifier and name (the same word), meaning.
 */
/* clang-format off */
#define QS1_HOST_FAULTS(X) \
	X(STORE_LOST, "the stored state is lost, and with it whether a fault was latched")
/* clang-format on */

enum qs1_host_fault {
	QS1_FAULT_HOST_BASE = QS1_FAULT_COUNT - 1,
#define X(id, text) QS1_FAULT_##id,
	QS1_HOST_FAULTS(X)
#undef X
		QS1_FAULT_ALL_COUNT
};

/* Latched faults that the command "clear" clears. */
#define QS1_FAULTS_CLEARABLE (QS1_FAULTS_LATCHING | QS1_FAULT_BIT(QS1_FAULT_STORE_LOST))

/* Name of a state, "?" for a number that is none. */
const char *qs1_state_name(unsigned int state);

/* Name of a fault code, "?" for a number that is none. */
const char *qs1_fault_name(unsigned int fault);

/* The meaning of a fault code. */
const char *qs1_fault_text(unsigned int fault);

/* Name of a cause, or of its fault code. */
const char *qs1_cause_name(unsigned int cause);

/* The number of a name, or -ENOENT. */
int qs1_state_find(const char *name);
int qs1_fault_find(const char *name);

/* As qs1_fault_find(), for a person: in any case, and with '-' for '_'. */
int qs1_fault_find_word(const char *word);

#endif /* QS1_NAMES_H */
