/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The version of the project, from the changelog of its packages. */
#ifndef QS1_VERSION_H
#define QS1_VERSION_H

#include <stdio.h>

struct argp_state;

extern const char qs1_version[];

/* For argp_program_version_hook: prints the program's name and the version. */
void version_print(FILE *out, struct argp_state *state);

#endif /* QS1_VERSION_H */
