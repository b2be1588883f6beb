// SPDX-License-Identifier: GPL-2.0-or-later
#include "writer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "util.h"

#define DEPTH_MAX 8
#define NAME_SIZE 64

/**
 * struct level - a group that is open
 * @json: the group in JSON
 * @name: for key=value
 * @layout: of its members in text
 * @array: its members have no names
 * @count: members so far
 * @indent: of its members in text
 */
struct level {
	struct json_object *json;
	char name[NAME_SIZE];
	enum writer_layout layout;
	bool array;
	int count;
	int indent;
};

struct writer {
	const struct writer_ops *ops;
	FILE *out;
	struct level level[DEPTH_MAX];
	int depth;
};

/**
 * struct writer_ops - one form of output
 * @open: a group; the level of its members is already there
 * @close: the group at the current level
 * @value: one value: @json is taken over
 * @finish: after the last value
 */
struct writer_ops {
	void (*open)(struct writer *writer, const char *name, const char *label);
	void (*close)(struct writer *writer);
	void (*value)(struct writer *writer, const char *name, const char *label, const char *text,
		      const char *unit, struct json_object *json);
	void (*finish)(struct writer *writer);
};

static struct level *current(struct writer *writer)
{
	return &writer->level[writer->depth];
}

/* Text. */

static void text_open(struct writer *writer, const char *name, const char *label)
{
	struct level *group = current(writer);
	struct level *around = group - 1;
	int pad = 14 - around->indent - (int)strlen(label);

	(void)name;
	group->indent = around->indent;
	if (!label[0]) {
		return;
	}
	if (group->layout == WRITER_ROW && around->layout == WRITER_ROW) {
		fprintf(writer->out, " %s", label);
		return;
	}
	fprintf(writer->out, "%*s%s", around->indent, "", label);
	if (group->layout == WRITER_ROW) {
		fprintf(writer->out, "%*s", pad > 0 ? pad : 0, "");
	} else {
		fprintf(writer->out, "\n");
		group->indent += 2;
	}
}

static void text_close(struct writer *writer)
{
	const struct level *group = current(writer);
	const struct level *around = group - 1;

	if (group->layout == WRITER_ROW) {
		fprintf(writer->out, "%s%s", group->count ? "" : " none",
			around->layout == WRITER_ROW ? "" : "\n");
	}
}

static void text_value(struct writer *writer, const char *name, const char *label, const char *text,
		       const char *unit, struct json_object *json)
{
	struct level *group = current(writer);

	(void)name;
	json_object_put(json);
	if (group->layout == WRITER_ROW && unit[0]) {
		fprintf(writer->out, " %9s %-3s", text, unit);
	} else if (group->layout == WRITER_ROW) {
		fprintf(writer->out, " %s%s%s", label, label[0] ? " " : "", text);
	} else {
		fprintf(writer->out, "%*s%-*s %s%s%s\n", group->indent, "", 14 - group->indent,
			label, text, unit[0] ? " " : "", unit);
	}
}

static void text_finish(struct writer *writer)
{
	(void)writer;
}

/* Key=value: the names of all open groups, joined by points. */

static void kv_open(struct writer *writer, const char *name, const char *label)
{
	struct level *group = current(writer);
	const struct level *around = group - 1;

	(void)label;
	if (around->array) {
		snprintf(group->name, sizeof(group->name), "%d", around->count);
	} else {
		snprintf(group->name, sizeof(group->name), "%s", name);
	}
}

static void kv_close(struct writer *writer)
{
	(void)writer;
}

static void kv_value(struct writer *writer, const char *name, const char *label, const char *text,
		     const char *unit, struct json_object *json)
{
	const struct level *group = current(writer);

	(void)label;
	(void)unit;
	json_object_put(json);
	for (int i = 1; i <= writer->depth; i++) {
		fprintf(writer->out, "%s.", writer->level[i].name);
	}
	if (group->array) {
		fprintf(writer->out, "%d=%s\n", group->count, text);
	} else {
		fprintf(writer->out, "%s=%s\n", name, text);
	}
}

static void kv_finish(struct writer *writer)
{
	(void)writer;
}

/* JSON: built as an object, written at the end. */

static void json_add(struct level *group, const char *name, struct json_object *json)
{
	if (group->array) {
		json_object_array_add(group->json, json);
	} else {
		json_object_object_add(group->json, name, json);
	}
}

static void json_open(struct writer *writer, const char *name, const char *label)
{
	struct level *group = current(writer);

	(void)label;
	group->json = group->array ? json_object_new_array() : json_object_new_object();
	json_add(group - 1, name, group->json);
}

static void json_close(struct writer *writer)
{
	(void)writer;
}

static void json_value(struct writer *writer, const char *name, const char *label, const char *text,
		       const char *unit, struct json_object *json)
{
	(void)label;
	(void)text;
	(void)unit;
	json_add(current(writer), name, json);
}

static void json_finish(struct writer *writer)
{
	fprintf(writer->out, "%s\n",
		json_object_to_json_string_ext(writer->level[0].json,
					       JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED));
}

static const struct writer_ops formats[WRITER_FORMAT_COUNT] = {
	[WRITER_TEXT] = { text_open, text_close, text_value, text_finish },
	[WRITER_KV] = { kv_open, kv_close, kv_value, kv_finish },
	[WRITER_JSON] = { json_open, json_close, json_value, json_finish },
};

int writer_format_find(const char *name)
{
	static const char *const names[] = {
#define X(id, name) [WRITER_##id] = name,
		WRITER_FORMATS(X)
#undef X
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(names[i], name)) {
			return i;
		}
	}
	return -ENOENT;
}

struct writer *writer_new(enum writer_format format, FILE *out)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	if (!writer) {
		return NULL;
	}
	writer->ops = &formats[format];
	writer->out = out;
	writer->level[0].json = json_object_new_object();
	return writer;
}

static void open_group(struct writer *writer, const char *name, const char *label,
		       enum writer_layout layout, bool array)
{
	assert(writer->depth + 1 < DEPTH_MAX);
	writer->depth++;
	*current(writer) = (struct level){ .layout = layout, .array = array };
	writer->ops->open(writer, name, label);
}

void writer_object(struct writer *writer, const char *name, const char *label,
		   enum writer_layout layout)
{
	open_group(writer, name, label, layout, false);
}

void writer_array(struct writer *writer, const char *name, const char *label,
		  enum writer_layout layout)
{
	open_group(writer, name, label, layout, true);
}

void writer_end(struct writer *writer)
{
	assert(writer->depth > 0);
	writer->ops->close(writer);
	writer->depth--;
	current(writer)->count++;
}

static void put_value(struct writer *writer, const char *name, const char *label, const char *text,
		      const char *unit, struct json_object *json)
{
	writer->ops->value(writer, name, label, text, unit, json);
	current(writer)->count++;
}

void writer_string(struct writer *writer, const char *name, const char *label, const char *value)
{
	put_value(writer, name, label, value, "", json_object_new_string(value));
}

void writer_number(struct writer *writer, const char *name, const char *label, const char *text,
		   const char *unit)
{
	if (text) {
		put_value(writer, name, label, text, unit,
			  json_object_new_double_s(strtod(text, NULL), text));
	} else {
		put_value(writer, name, label, "-", unit, NULL);
	}
}

void writer_none(struct writer *writer, const char *name, const char *label, const char *text)
{
	put_value(writer, name, label, text, "", NULL);
}

void writer_bool(struct writer *writer, const char *name, const char *label, bool value)
{
	put_value(writer, name, label, value ? "yes" : "no", "", json_object_new_boolean(value));
}

int writer_finish(struct writer *writer)
{
	int ret;

	assert(writer->depth == 0);
	writer->ops->finish(writer);
	ret = fflush(writer->out) ? -errno : ferror(writer->out) ? -EIO : 0;
	json_object_put(writer->level[0].json);
	free(writer);
	return ret;
}
