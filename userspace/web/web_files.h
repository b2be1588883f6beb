/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of ECU and EMA as compiled-in files for the HTTP server. scripts/web-pack generates the
 * tables from this folder: build/web/ecu_files.c and build/web/ema_files.c (libraries WEB_ECU and
 * WEB_EMA of web.mk).
 */
#ifndef QS1_WEB_FILES_H
#define QS1_WEB_FILES_H

#include "../service/http.h"

/**
 * struct web_files - what a service serves
 * @csp: value of Content-Security-Policy for all of them: everything from this server, nothing
 * inline
 * @file: sorted by path (strcmp), each with the encoding "gzip"; "/" is the first page
 * @count: of them
 *
 * To be sent with "Cache-Control: no-cache", so that a browser asks with If-None-Match at each load
 * and a new version is seen at once. Every browser that runs these pages accepts gzip.
 */
struct web_files {
	const char *csp;
	const struct http_file *file;
	size_t count;
};

extern const struct web_files web_ecu;
extern const struct web_files web_ema;

#endif /* QS1_WEB_FILES_H */
