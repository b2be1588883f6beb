/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PDF documents of a site: installation map, registration card, warranty card, and the report of
 * its commissioning.
 */
#ifndef QS1_DOCUMENTS_H
#define QS1_DOCUMENTS_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

/**
 * struct document_site - what the documents show
 * @map: roof map as emad's openapi.json has it
 * @ecus: separated by ", "
 * @serials: of all inverters; those on the map and those that report
 * @made_at, @made_by: of a report: time with zone, user
 * @checks, @inverters: of a report: replies of ecud to GET commissioning and GET inverters
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
	const char *made_at;
	const char *made_by;
	struct json_object *checks;
	struct json_object *inverters;
};

struct document;

/**
 * document_new() - an empty document with its font
 *
 * Reads the font's file; nothing afterwards needs a file.
 *
 * Return: NULL without memory or font.
 */
struct document *document_new(void);
void document_free(struct document *document);

/**
 * document_make() - draw a document
 * @kind: "installation-map": a grid of the map's rows and columns, 22 in the manual's template:
 *        modules with inverter and input, a label for each inverter, upright or lying, with its
 *        serial number in digits and as a QR code that a scanner reads. "registration-card":
 *        owner, address, installer, date, all serial numbers. "warranty-card": 10 or 25 years
 *        from the date of installation. "commissioning-report": the checks of each inverter, and
 *        what was measured.
 * @ret_bytes: the PDF, to be freed
 *
 * Return: 0; -EINVAL for another kind; -ENOMEM.
 */
int document_make(struct document *document, const char *kind, const struct document_site *site,
		  void **ret_bytes, size_t *ret_n);

#endif /* QS1_DOCUMENTS_H */
