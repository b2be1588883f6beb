/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the gateway's store share: a store in a temporary folder, and serial numbers.
 */
#ifndef QS1_STORE_BENCH_H
#define QS1_STORE_BENCH_H

#include "link_bench.h"

#include "model.h"
#include "store.h"

#define FOLDER "/tmp/qs1-ecu-store-XXXXXX"

static char folder[] = FOLDER;
static struct model *model;
static struct store *store;
static char err[512];

static struct serial serial_of(int i)
{
	struct serial serial;
	char text[32];

	snprintf(text, sizeof(text), "8060%08d", i + 1);
	serial_parse(text, &serial);
	return serial;
}

/* A new folder and a new model; the test opens the store. */
static void make_folder(void)
{
	strcpy(folder, FOLDER);
	assert_non_null(mkdtemp(folder));
	model = model_new("216000000001");
}

static int tear_down(void **state)
{
	char command[200];

	(void)state;
	store_close(store);
	store = NULL;
	model_free(model);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

#endif /* QS1_STORE_BENCH_H */
