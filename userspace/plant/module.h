/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of module types: shipped with the program, or from a file. */
#ifndef QS1_PLANT_MODULE_H
#define QS1_PLANT_MODULE_H

#include <stddef.h>

#include "pv.h"

/* What is connected when a scenario does not say: 72 cells, 400 W. */
#define MODULE_DEFAULT "LG Electronics Inc. LG400N2W-A5"

/* module_default() - MODULE_DEFAULT from the shipped table */
const struct pv_module *module_default(void);

/**
 * module_find() - a module of the shipped table (data/modules.csv), by its full
 * name or a part of it that only one row has
 *
 * Return: 0 or a negative errno with the reason in @err.
 */
int module_find(const char *name, struct pv_module *ret_module, char *err, size_t size);

/**
 * module_read() - a module from a file in the CEC library's columns
 */
int module_read(const char *path, const char *name, struct pv_module *ret_module, char *err,
		size_t size);

/* module_en50530() - the model of EN 50530 Annex C at a point of standard conditions */
void module_en50530(double pmpp, double vmpp, bool thinfilm, struct pv_module *ret_module);

/* module_open() - nothing connected */
void module_open(struct pv_module *ret_module);

#endif /* QS1_PLANT_MODULE_H */
