// SPDX-License-Identifier: GPL-2.0-only
#include "module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"

/* data/modules.csv is part of the program, so that it needs no installed file. */
__asm__(".section .rodata\n"
	".global qs1_modules_csv\n"
	"qs1_modules_csv:\n"
	".incbin \"data/modules.csv\"\n"
	".global qs1_modules_csv_end\n"
	"qs1_modules_csv_end:\n"
	".previous\n");
extern const char qs1_modules_csv[], qs1_modules_csv_end[];

/* Columns used, with their plausible range for a module of this product's class. */
static const struct {
	const char *header;
	double min, max;
} columns[] = {
	{ "a_ref", 0.1, 20 },	   { "I_L_ref", 0.01, 30 }, { "I_o_ref", 1e-20, 1e-3 },
	{ "R_s", 0, 20 },	   { "R_sh_ref", 1, 1e7 },  { "alpha_sc", -0.1, 0.1 },
	{ "Adjust", -1000, 1000 },
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static int module_row(const struct csv *csv, int row, struct pv_module *ret_module, char *err,
		      size_t size)
{
	double value[COLUMNS];

	for (size_t c = 0; c < COLUMNS; c++) {
		int column = csv_column(csv, columns[c].header), ret;

		if (column < 0) {
			snprintf(err, size, "%s:%d: expected a column %s, found none", csv->name,
				 csv->line[0], columns[c].header);
			return -EINVAL;
		}
		ret = csv_number(csv, row, column, columns[c].min, columns[c].max, &value[c], err,
				 size);
		if (ret)
			return ret;
	}
	*ret_module = (struct pv_module){
		.kind = PV_DIODE,
		.ref = { .a = value[0],
			 .il = value[1],
			 .i0 = value[2],
			 .rs = value[3],
			 .gsh = 1 / value[4] },
		.alpha_sc = value[5],
		.adjust = value[6],
	};
	snprintf(ret_module->name, sizeof(ret_module->name), "%s", csv_cell(csv, row, 0));
	return 0;
}

static int module_pick(const struct csv *csv, const char *name, struct pv_module *ret_module,
		       char *err, size_t size)
{
	int column = csv_column(csv, "Name"), found = 0, parts = 0;

	if (column != 0) {
		snprintf(err, size, "%s:%d: expected the first column Name, found '%s'", csv->name,
			 csv->line[0], csv_cell(csv, 0, 0));
		return -EINVAL;
	}
	for (int row = 1; row < csv->rows; row++) {
		const char *cell = csv_cell(csv, row, column);

		if (!strcmp(cell, name))
			return module_row(csv, row, ret_module, err, size);
		/* The CEC library puts a line of units and one of field names below the header. */
		if (strstr(cell, name)) {
			found = row;
			parts++;
		}
	}
	if (parts == 1)
		return module_row(csv, found, ret_module, err, size);
	snprintf(err, size, "expected a module of %s, found '%s', which %s", csv->name, name,
		 parts ? "matches more than one name" : "matches no name");
	return -ENOENT;
}

int module_find(const char *name, struct pv_module *ret_module, char *err, size_t size)
{
	struct csv csv;
	int ret = csv_parse(&csv, "the shipped table", qs1_modules_csv,
			    (size_t)(qs1_modules_csv_end - qs1_modules_csv), err, size);

	if (!ret) {
		ret = module_pick(&csv, name, ret_module, err, size);
		csv_free(&csv);
	}
	return ret;
}

int module_read(const char *path, const char *name, struct pv_module *ret_module, char *err,
		size_t size)
{
	struct csv csv;
	int ret = csv_read(&csv, path, err, size);

	if (!ret) {
		ret = module_pick(&csv, name, ret_module, err, size);
		csv_free(&csv);
	}
	return ret;
}

const struct pv_module *module_default(void)
{
	static struct pv_module module;
	char err[256];

	if (!module.name[0] && module_find(MODULE_DEFAULT, &module, err, sizeof(err))) {
		/* The table is part of this program: it can not be missing. */
		fprintf(stderr, "%s\n", err);
		abort();
	}
	return &module;
}

void module_en50530(double pmpp, double vmpp, bool thinfilm, struct pv_module *ret_module)
{
	*ret_module = (struct pv_module){
		.kind = PV_EN50530, .pmpp = pmpp, .vmpp = vmpp, .thinfilm = thinfilm
	};
	snprintf(ret_module->name, sizeof(ret_module->name), "EN 50530 %s %g W %g V",
		 thinfilm ? "thinfilm" : "csi", pmpp, vmpp);
}

void module_open(struct pv_module *ret_module)
{
	*ret_module = (struct pv_module){ .kind = PV_OPEN, .name = "none" };
}
