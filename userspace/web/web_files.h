/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of ECU and EMA as compiled-in files. scripts/web-pack generates the tables from this
 * folder: build/web/ecu_files.c and build/web/ema_files.c (libraries WEB_ECU and WEB_EMA of
 * web.mk).
 */
#ifndef QS1_WEB_FILES_H
#define QS1_WEB_FILES_H

#include <stddef.h>

/**
 * struct web_file - one file, compressed
 * @path: in the address, begins with '/'; "/" is the page that a browser opens
 * @type: value of Content-Type
 * @etag: value of ETag, with its quotation marks: a hash of the contents
 * @gzip: contents; send them with "Content-Encoding: gzip"
 * @size: of them, bytes
 *
 * A server answers GET and HEAD, with 304 where If-None-Match equals @etag, and sends
 * "Cache-Control: no-cache", so that a browser asks each time and a new version is seen at once. It
 * must also send Vary: Accept-Encoding. Every client of these pages accepts gzip; others get 406.
 */
struct web_file {
	const char *path;
	const char *type;
	const char *etag;
	const unsigned char *gzip;
	size_t size;
};

/**
 * struct web_files - what a service serves
 * @csp: value of Content-Security-Policy, for all of them
 * @file: sorted by path (strcmp)
 * @count: of them
 */
struct web_files {
	const char *csp;
	const struct web_file *file;
	size_t count;
};

extern const struct web_files web_ecu;
extern const struct web_files web_ema;

/**
 * web_file_find() - the file of a path
 * @files: of the service
 * @path: of the request, without query
 *
 * Return: the file, or NULL if there is none.
 */
const struct web_file *web_file_find(const struct web_files *files, const char *path);

#endif /* QS1_WEB_FILES_H */
