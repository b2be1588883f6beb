/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration of emad: a file of lines, name and value. */
#ifndef EMAD_CONFIG_H
#define EMAD_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_FILE "/etc/qs1/emad.conf"
/* The service's StateDirectory. */
#define CONFIG_STATE "/var/lib/qs1-ema"
#define CONFIG_TEXT_SIZE 256
/* Entries of a list. */
#define CONFIG_LIST_MAX 16

/*
 * Settings. Columns: name in the file and member, type, default, smallest and largest number,
 * help for the manual page.
 */
/* clang-format off */
#define CONFIG_TEXTS(X) \
	X(listen, "127.0.0.1", "address to listen on") \
	X(host, "localhost", "name under which browsers and ECUs reach the service") \
	X(uplink_socket, "", "Unix socket on which nginx passes requests of ECUs; it ends their TLS") \
	X(uplink_group, "www-data", "group that may use it") \
	X(smtp, "", "mail server as smtp://host:port or smtps://host; no e-mail without one") \
	X(smtp_user, "", "user name at the mail server") \
	X(smtp_password_file, "", "file with the password") \
	X(mail_from, "qs1-ema@localhost", "sender of e-mail") \
	X(nats, "", "NATS servers, nats://a,nats://b; without one ingest writes the log itself") \
	X(part, "all", "all, ingest, store, watch or web")

/* Each line of the file adds an entry. */
#define CONFIG_LISTS(X) \
	X(database, "connection string of PostgreSQL, postgresql:...; one line for each shard, in order; SQLite without one") \
	X(web_database, "the same for pages, with a role that row-level security limits")

#define CONFIG_NUMBERS(X) \
	X(web_port, 9443, 0, 65535, "port of pages and API") \
	X(uplink_port, 9444, 0, 65535, "port of the ECUs") \
	X(uplink_connections, 2000, 10, 100000, "connections of ECUs at once, two for each ECU") \
	X(keep_days, 0, 0, 36500, "day blobs are dropped after as many days; 0 keeps them for ever") \
	X(keep_reports_days, 0, 0, 36500, "single reports go after as many days, at least 32; 0 keeps them") \
	X(keep_events_days, 0, 0, 36500, "events and ended alarms go after as many days; 0 keeps them") \
	X(keep_orders_days, 0, 0, 36500, "orders that are over go after as many days; 0 keeps them") \
	X(keep_audit_days, 0, 0, 36500, "rows of the audit log go after as many days; 0 keeps them") \
	X(webhook_private, 0, 0, 1, "1: webhooks may go to private addresses, by http too")
/* clang-format on */

/**
 * struct config_list - @n entries
 */
struct config_list {
	int n;
	char text[CONFIG_LIST_MAX][CONFIG_TEXT_SIZE];
};

/**
 * struct config - by the tables above
 */
struct config {
#define X(name, help) struct config_list name;
	CONFIG_LISTS(X)
#undef X
#define X(name, usual, help) char name[CONFIG_TEXT_SIZE];
	CONFIG_TEXTS(X)
#undef X
#define X(name, usual, min, max, help) int64_t name;
	CONFIG_NUMBERS(X)
#undef X
	char state[PATH_MAX / 2];
};

/**
 * config_load() - read the file
 * @path: NULL for CONFIG_FILE, which may be missing
 *
 * Return: 0 or a negative errno with @err; -EINVAL if there are not as many entries of web_database
 * as of database, or none.
 */
int config_load(const char *path, struct config *config, char *err, size_t size);

struct store;

/**
 * config_shards() - the databases of a list as the shards of a store
 * @file: path for SQLite, when the list is empty
 */
void config_shards(const struct config_list *list, const char *file, struct store *store);

#endif /* EMAD_CONFIG_H */
