/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages about alarms: e-mail by SMTP and webhooks, from a queue in the database. A message that
 * fails is tried again, later each time, for two days. All tries of one message have the same
 * Message-ID, so that a mail server that got it twice shows it once.
 */
#ifndef EMAD_NOTIFY_H
#define EMAD_NOTIFY_H

#include "config.h"
#include "sql.h"

/**
 * notify_run() - send what is due
 * @stop: set by another thread: it ends after the message at hand
 *
 * Return: messages that were sent, or a negative errno of the database.
 */
int notify_run(const struct config *config, struct sql *sql, int64_t now_ms, const bool *stop);

/* Time until the next try after @tries failures, ms; 0 when there is none. */
int64_t notify_retry_ms(int64_t tries);

/* May a webhook have this address? https, or with @private http too. */
bool notify_webhook_valid(const char *url, bool allow_private);

/* An address of e-mail without blanks, control characters or a second '@'. */
bool notify_address_valid(const char *address);

#endif /* EMAD_NOTIFY_H */
