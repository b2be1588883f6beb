/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PDF documents of a site: installation map, registration card, warranty card. */
#ifndef EMAD_DOCUMENTS_H
#define EMAD_DOCUMENTS_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

/**
 * struct document_site - what the documents show
 * @map: roof map as openapi.json has it
 * @ecus: separated by ", "
 * @serials: of all inverters; those on the map and those that report
 */
struct document_site {
	const char *name;
	const char *address;
	const char *customer;
	const char *installer;
	const char *installed_on;
	int warranty_years;
	const char *ecus;
	struct json_object *map;
	const uint64_t *serials;
	size_t serial_count;
};

/* Columns: name in the path, function. */
typedef int (*document_fn)(const struct document_site *site, void **ret_bytes, size_t *ret_n);

/**
 * document_map() - installation map
 *
 * A grid of the map's rows and columns, 22 in the manual's template: modules with inverter and
 * input, a label for each inverter, upright or lying, with its serial number in digits and as a
 * QR code that a scanner reads.
 *
 * @ret_bytes: the PDF, to be freed
 *
 * Return: 0 or -ENOMEM.
 */
int document_map(const struct document_site *site, void **ret_bytes, size_t *ret_n);

/* Registration card: owner, address, installer, date, all serial numbers. */
int document_registration(const struct document_site *site, void **ret_bytes, size_t *ret_n);

/* Warranty card: 10 or 25 years from the date of installation. */
int document_warranty(const struct document_site *site, void **ret_bytes, size_t *ret_n);

#endif /* EMAD_DOCUMENTS_H */
