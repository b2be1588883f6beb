// SPDX-License-Identifier: GPL-2.0-or-later
/* Subcommands that read or write files, or call another program. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/util.h"
#include "commands.h"

static int download(struct context *context, const char *path)
{
	const char *name = context->argc == 1 ? context->argv[0] : NULL;
	FILE *file __cleanup(close_file) = NULL;
	int ret;

	if (!name) {
		return -E2BIG;
	}
	file = fopen(name, "wxe");
	if (!file) {
		ret = -errno;
		snprintf(context->err, sizeof(context->err), "%s: %s", name, strerror(-ret));
		return ret;
	}
	ret = client_download(&context->client, path, file, context->err, sizeof(context->err));
	if (ret < 0) {
		unlink(name);
	}
	return ret;
}

int command_export(struct context *context)
{
	return download(context, "/export");
}

int command_backup(struct context *context)
{
	return download(context, "/backup");
}

/* Replace this program by another one, which has its own messages. */
static int run(struct context *context, const char *program, char *const argv[])
{
	execvp(program, argv);
	snprintf(context->err, sizeof(context->err), "%s: %s", program, strerror(errno));
	return -errno;
}

int command_restore(struct context *context)
{
	if (context->argc != 1) {
		return -E2BIG;
	}
	return run(context, "ecud", (char *[]){ "ecud", "--restore", context->argv[0], NULL });
}

int command_scan(struct context *context)
{
	static const struct row rows[] = {
		{ "text", "label", "" },
		{ "serial", "serial", "" },
		{ "known", "known", "" },
		{ "message", "message", "" },
	};
	FILE *file __cleanup(close_file) = NULL;
	struct json_object *reply __cleanup(put_json) = NULL;
	struct writer *writer;
	int ret;

	if (context->argc != 1) {
		return -E2BIG;
	}
	file = fopen(context->argv[0], "re");
	if (!file) {
		ret = -errno;
		snprintf(context->err, sizeof(context->err), "%s: %s", context->argv[0],
			 strerror(-ret));
		return ret;
	}
	ret = client_upload(&context->client, "/scan", "image/jpeg", file, &reply, context->err,
			    sizeof(context->err));
	if (ret < 0) {
		return ret;
	}
	writer = writer_new(context->format, stdout);
	if (!writer) {
		return -ENOMEM;
	}
	write_list(writer, reply, "labels", "", rows, ARRAY_SIZE(rows));
	ret = writer_finish(writer);
	if (ret == 0 && !json_object_array_length(member(reply, "labels"))) {
		snprintf(context->err, sizeof(context->err), "%s: no label found",
			 context->argv[0]);
		return -ENOENT;
	}
	return ret;
}
