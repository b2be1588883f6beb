// SPDX-License-Identifier: GPL-2.0-only
/* qs1ctl profile: list, show, use, check. */
#include <errno.h>
#include <string.h>

#include "../lib/profile.h"
#include "../lib/protocol.h"
#include "../lib/util.h"
#include "commands.h"

static int load(struct context *context, const char *name, struct qs1_profile *profile)
{
	char *path __cleanup(free_ptr) = NULL;
	int ret = qs1_profile_find(name, NULL, &path, context->err, sizeof(context->err));

	return ret < 0 ? ret : qs1_profile_load(path, profile, context->err, sizeof(context->err));
}

static int list(struct context *context)
{
	char **names;
	struct writer *writer;
	int n = qs1_profile_list(NULL, &names);

	if (n < 0) {
		snprintf(context->err, sizeof(context->err), "%s or %s: %s", QS1_PROFILE_DIR_LOCAL,
			 QS1_PROFILE_DIR, strerror(-n));
		return n;
	}
	writer = writer_new(context->format, stdout);
	if (!writer) {
		qs1_profile_list_free(names);
		return -ENOMEM;
	}
	writer_array(writer, "profiles", "", WRITER_LINES);
	for (int i = 0; i < n; i++) {
		writer_string(writer, NULL, names[i], "");
	}
	writer_end(writer);
	qs1_profile_list_free(names);
	return writer_finish(writer);
}

static int show(struct context *context)
{
	struct qs1_profile profile;
	struct writer *writer;
	int ret = load(context, context->argv[1], &profile);

	if (ret < 0) {
		return ret;
	}
	writer = writer_new(context->format, stdout);
	if (!writer) {
		return -ENOMEM;
	}
	writer_string(writer, "profile", "profile", profile.name);
	writer_object(writer, "values", "", WRITER_LINES);
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);
		char text[QS1_DECIMAL_SIZE];

		if (desc->group == QS1_PARAM_GROUP_PROFILE) {
			writer_number(writer, desc->name, desc->name,
				      qs1_decimal_format(text, profile.value[id], desc->decimals),
				      "");
		}
	}
	writer_end(writer);
	return writer_finish(writer);
}

static int use(struct context *context)
{
	struct qs1_profile profile;
	struct json_object *arguments, *result;
	int ret = load(context, context->argv[1], &profile);

	if (ret < 0) {
		return ret;
	}
	arguments = json_object_new_object();
	json_object_object_add(arguments, "name", json_object_new_string(profile.name));
	json_object_object_add(arguments, "values", protocol_values(&profile));
	ret = call(context, "profile-use", arguments, &result);
	if (!ret) {
		json_object_put(result);
	}
	return ret;
}

static int check(struct context *context)
{
	struct qs1_profile profile;

	return load(context, context->argv[1], &profile);
}

static const struct {
	const char *word;
	int words;
	int (*run)(struct context *context);
} verbs[] = {
	{ "list", 1, list },
	{ "show", 2, show },
	{ "use", 2, use },
	{ "check", 2, check },
};

int command_profile(struct context *context)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs) && context->argc > 0; i++) {
		if (!strcmp(context->argv[0], verbs[i].word) && context->argc == verbs[i].words) {
			return verbs[i].run(context);
		}
	}
	return -E2BIG;
}
