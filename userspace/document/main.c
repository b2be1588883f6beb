// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qs1-document: a PDF document of a site. Reads a JSON object from standard input and writes the
 * document to standard output. It runs for one document, in a sandbox: libharu draws texts that
 * clients have entered, and needs some megabytes for a second.
 *
 * Members: kind, as document_make() has it; name, address, customer, installer, installed_on, map,
 * warranty_years; ecus and serials, arrays of texts of 12 digits; of a report made_at, made_by,
 * commissioning and inverters.
 *
 * Exit status: 0; 1 for input that is wrong; 2 without memory, font or sandbox.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "helper.h"
#include "report.h"
#include "sandbox.h"

#define INPUT_MAX (4 * 1024 * 1024)
#define MEMORY_MAX (128 * 1024 * 1024)
#define SECONDS_MAX 20
#define EXIT_SETUP 2

static const char *text_of(struct json_object *input, const char *name)
{
	struct json_object *member = json_object_object_get(input, name);

	return json_object_is_type(member, json_type_string) ? json_object_get_string(member) : "";
}

/* Serial numbers of the array, to be freed. Return: their number, or a negative errno. */
static int64_t read_serials(struct json_object *array, uint64_t **ret_serials)
{
	size_t n = json_object_is_type(array, json_type_array) ? json_object_array_length(array)
							       : 0;
	uint64_t *serials = calloc(n + 1, sizeof(*serials));

	if (!serials) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(array, i));

		if (!text || id_parse(text, &serials[i]) < 0) {
			free(serials);
			return -EINVAL;
		}
	}
	*ret_serials = serials;
	return (int64_t)n;
}

/* The members of an array, with ", " between them. */
static void join(struct json_object *array, char *text, size_t size)
{
	size_t n = json_object_is_type(array, json_type_array) ? json_object_array_length(array)
							       : 0;
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n && used < size; i++) {
		used += (size_t)snprintf(
			text + used, size - used, "%s%s", i ? ", " : "",
			json_object_get_string(json_object_array_get_idx(array, i)));
	}
}

static struct json_object *read_input(void)
{
	char *text = malloc(INPUT_MAX + 1);
	size_t n = text ? fread(text, 1, INPUT_MAX, stdin) : 0;
	struct json_object *input = NULL;

	if (text && n < INPUT_MAX) {
		text[n] = '\0';
		input = json_tokener_parse(text);
	}
	free(text);
	return input;
}

static int make(struct document *document, struct json_object *input)
{
	struct json_object *years = json_object_object_get(input, "warranty_years");
	uint64_t *serials = NULL;
	char ecus[256];
	void *bytes = NULL;
	size_t n = 0;
	int64_t count = read_serials(json_object_object_get(input, "serials"), &serials);
	struct document_site site = {
		.name = text_of(input, "name"),
		.address = text_of(input, "address"),
		.customer = text_of(input, "customer"),
		.installer = text_of(input, "installer"),
		.installed_on = text_of(input, "installed_on"),
		.warranty_years = json_object_get_int(years),
		.ecus = ecus,
		.map = json_object_object_get(input, "map"),
		.serials = serials,
		.serial_count = (size_t)count,
		.made_at = text_of(input, "made_at"),
		.made_by = text_of(input, "made_by"),
		.checks = json_object_object_get(input, "commissioning"),
		.inverters = json_object_object_get(input, "inverters"),
	};
	int ret;

	join(json_object_object_get(input, "ecus"), ecus, sizeof(ecus));
	ret = count < 0 ? (int)count
			: document_make(document, text_of(input, "kind"), &site, &bytes, &n);
	if (ret == 0 && (fwrite(bytes, 1, n, stdout) != n || fflush(stdout))) {
		ret = -EIO;
	}
	free(bytes);
	free(serials);
	return ret;
}

int main(void)
{
	/* json-c asks for random numbers at its first object. */
	struct json_object *first = json_tokener_parse("{\"first\": 1}");
	struct document *document = document_new();
	struct json_object *input;
	int ret;

	json_object_put(first);
	if (!document || sandbox_enter(MEMORY_MAX, SECONDS_MAX) < 0) {
		fprintf(stderr, "qs1-document: no font, memory or sandbox: %s\n", strerror(errno));
		return EXIT_SETUP;
	}
	input = read_input();
	ret = json_object_is_type(input, json_type_object) ? make(document, input) : -EINVAL;
	json_object_put(input);
	document_free(document);
	if (ret < 0) {
		fprintf(stderr, "qs1-document: %s\n", strerror(-ret));
	}
	return ret == -EINVAL ? HELPER_EXIT_INPUT : ret < 0 ? EXIT_SETUP : 0;
}
