// SPDX-License-Identifier: GPL-2.0-or-later
#include "version.h"

#include <argp.h>

const char qs1_version[] = QS1_VERSION;

void version_print(FILE *out, struct argp_state *state)
{
	fprintf(out, "%s %s\n", state->name, qs1_version);
}
