/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of codes.h as text, both ways. */
#ifndef QS1_NAMES_H
#define QS1_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include <qs1/codes.h>

/* Name of a state, "?" for a number that is none. */
const char *qs1_state_name(unsigned int state);

/* Name of a fault code, "?" for a number that is none. */
const char *qs1_fault_name(unsigned int fault);

/* What a fault code means. */
const char *qs1_fault_text(unsigned int fault);

/* Name of a cause, or of the fault code that it stands for. */
const char *qs1_cause_name(unsigned int cause);

/* The number of a name, or -ENOENT. */
int qs1_state_find(const char *name);
int qs1_fault_find(const char *name);

/**
 * qs1_faults_parse() - codes separated by blanks to QS1_FAULT_BIT() bits
 * @ret_bits: untouched on failure
 *
 * Return: 0, or -EINVAL for a word that is no code.
 */
int qs1_faults_parse(const char *text, uint32_t *ret_bits);

#endif /* QS1_NAMES_H */
