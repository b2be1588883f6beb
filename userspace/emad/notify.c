// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages about alarms, see notify.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "json.h"
#include "log.h"
#include "notify.h"
#include "watch.h"

#define TIMEOUT_S 20
#define GROUP 20
#define MINUTE_MS 60000

/* Waits after each failure, minutes. */
static const int waits_min[] = { 1, 2, 5, 15, 30, 60, 120, 240, 480, 960, 960 };

int64_t notify_retry_ms(int64_t tries)
{
	return tries >= 0 && tries < (int64_t)ARRAY_SIZE(waits_min)
		       ? (int64_t)waits_min[tries] * MINUTE_MS
		       : 0;
}

bool notify_webhook_valid(const char *url, bool allow_private)
{
	if (strlen(url) > 250 || strpbrk(url, " \t\r\n\"'<>")) {
		return false;
	}
	return strncmp(url, "https://", 8) == 0 ||
	       (allow_private && strncmp(url, "http://", 7) == 0);
}

bool notify_address_valid(const char *address)
{
	const char *at = strchr(address, '@');

	for (const char *c = address; *c; c++) {
		if (*c <= ' ' || *c >= 0x7f || strchr("<>\"(),;:\\", *c)) {
			return false;
		}
	}
	return at && at > address && at[1] && !strchr(at + 1, '@') && strlen(address) < 250;
}

/**
 * struct message - one of the queue, with its alarm
 */
struct message {
	int64_t id;
	int64_t alarm;
	int64_t tries;
	bool ended;
	char target[300];
	char site[128];
	char text[200];
	int rule;
	uint64_t serial;
	int64_t time_ms;
};

/* ---- where a webhook may go ---- */

/* Loopback, link-local and private networks (RFC 1918, RFC 4193, RFC 6598). */
static bool is_private_v4(uint32_t address)
{
	static const struct {
		uint32_t network;
		int bits;
	} networks[] = {
		{ 0x00000000, 8 },  { 0x0a000000, 8 },	{ 0x64400000, 10 }, { 0x7f000000, 8 },
		{ 0xa9fe0000, 16 }, { 0xac100000, 12 }, { 0xc0a80000, 16 }, { 0xe0000000, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(networks); i++) {
		if (address >> (32 - networks[i].bits) ==
		    networks[i].network >> (32 - networks[i].bits)) {
			return true;
		}
	}
	return false;
}

static bool is_private(const struct sockaddr *address)
{
	const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
	uint32_t four;

	if (address->sa_family == AF_INET) {
		return is_private_v4(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
	}
	if (IN6_IS_ADDR_V4MAPPED(six)) {
		memcpy(&four, &six->s6_addr[12], sizeof(four));
		return is_private_v4(ntohl(four));
	}
	return address->sa_family != AF_INET6 || (six->s6_addr[0] & 0xe0) != 0x20;
}

/* After the name was resolved: what counts is the address, not the name. */
static curl_socket_t open_public(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)ctx;
	(void)purpose;
	if (is_private(&address->addr)) {
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- sending ---- */

static size_t drop(char *bytes, size_t size, size_t n, void *ctx)
{
	(void)bytes;
	(void)ctx;
	return size * n;
}

static CURL *new_transfer(const char *url)
{
	CURL *curl = curl_easy_init();

	if (curl) {
		curl_easy_setopt(curl, CURLOPT_URL, url);
		curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
		curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
	}
	return curl;
}

/* An error in words, or NULL. */
static const char *finish(CURL *curl, CURLcode code, char *err, size_t size)
{
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK) {
		snprintf(err, size, "%s", curl_easy_strerror(code));
	} else if (status >= 300) {
		snprintf(err, size, "answer %ld", status);
	} else {
		return NULL;
	}
	return err;
}

static const char *post_webhook(const struct config *config, const struct message *message,
				char *err, size_t size)
{
	CURL *curl = new_transfer(message->target);
	struct curl_slist *headers = NULL;
	struct json_object *json = json_object_new_object();
	const char *error = "out of memory";
	CURLcode code;

	json_int(json, "alarm", message->alarm);
	json_text(json, "event", message->ended ? "end" : "begin");
	json_text(json, "rule", watch_rules[message->rule].name);
	json_text(json, "severity", watch_severity_name(watch_rules[message->rule].severity));
	json_text(json, "site", message->site);
	json_id(json, "serial", message->serial);
	json_int(json, "time_ms", message->time_ms);
	json_text(json, "text", message->text);
	json_text(json, "advice", watch_rules[message->rule].advice);
	if (curl) {
		headers = curl_slist_append(NULL, "Content-Type: application/json");
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json_object_to_json_string(json));
		curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
				 config->webhook_private ? "http,https" : "https");
		if (!config->webhook_private) {
			curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_public);
		}
		code = curl_easy_perform(curl);
		error = finish(curl, code, err, size);
		curl_easy_cleanup(curl);
	}
	curl_slist_free_all(headers);
	json_object_put(json);
	return error;
}

/* A header's text in one line of ASCII; other bytes become '?'. */
static void put_plain(FILE *out, const char *text)
{
	for (; *text; text++) {
		fputc(*text >= ' ' && *text < 0x7f ? *text : '?', out);
	}
}

static char *compose_mail(const struct config *config, const struct message *message)
{
	const struct watch_rule_info *rule = &watch_rules[message->rule];
	time_t now = (time_t)(message->time_ms / 1000);
	char serial[ID_TEXT_SIZE];
	char date[64];
	char *mail = NULL;
	size_t size = 0;
	struct tm tm;
	FILE *out = open_memstream(&mail, &size);

	if (!out) {
		return NULL;
	}
	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	fprintf(out, "Date: %s\r\nFrom: %s\r\nTo: %s\r\n", date, config->mail_from,
		strchr(message->target, ':') + 1);
	fprintf(out, "Message-ID: <alarm.%" PRId64 ".%s@%s>\r\n", message->alarm,
		message->ended ? "end" : "begin", config->host);
	if (message->ended) {
		fprintf(out, "References: <alarm.%" PRId64 ".begin@%s>\r\n", message->alarm,
			config->host);
	}
	fputs("Subject: ", out);
	put_plain(out, message->ended ? "Ended: " : "");
	put_plain(out, rule->title);
	fputs(", ", out);
	put_plain(out, message->site);
	fputs("\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	      "Content-Transfer-Encoding: 8bit\r\nAuto-Submitted: auto-generated\r\n\r\n",
	      out);
	fprintf(out, "%s%s: %s\r\nSite: %s\r\n", message->ended ? "Ended: " : "", rule->title,
		message->text, message->site);
	if (message->serial) {
		fprintf(out, "Inverter: %s\r\n", id_format(serial, message->serial));
	}
	if (!message->ended) {
		fprintf(out, "\r\n%s\r\n", rule->advice);
	}
	fclose(out);
	return mail;
}

static const char *send_mail(const struct config *config, const struct message *message, char *err,
			     size_t size)
{
	char *mail __cleanup(free_ptr) = compose_mail(config, message);
	FILE *in __cleanup(close_file) = mail ? fmemopen(mail, strlen(mail), "r") : NULL;
	struct curl_slist *to = curl_slist_append(NULL, strchr(message->target, ':') + 1);
	CURL *curl = new_transfer(config->smtp);
	const char *error = "out of memory";
	char password[128] = "";
	FILE *file __cleanup(close_file) =
		config->smtp_password_file[0] ? fopen(config->smtp_password_file, "r") : NULL;

	if (file && fgets(password, sizeof(password), file)) {
		password[strcspn(password, "\r\n")] = '\0';
	}
	if (curl && in && to) {
		curl_easy_setopt(curl, CURLOPT_MAIL_FROM, config->mail_from);
		curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
		curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(curl, CURLOPT_READDATA, in);
		if (config->smtp_user[0]) {
			curl_easy_setopt(curl, CURLOPT_USERNAME, config->smtp_user);
			curl_easy_setopt(curl, CURLOPT_PASSWORD, password);
			curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
		}
		error = finish(curl, curl_easy_perform(curl), err, size);
		/* 2xx is success in SMTP too. */
	}
	if (curl) {
		curl_easy_cleanup(curl);
	}
	curl_slist_free_all(to);
	return error;
}

/* ---- queue ---- */

static int read_due(struct sql *sql, int64_t now_ms, struct message *messages)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int n = 0;
	int ret = sql_query(
		sql, &rows,
		"SELECT outbox.id, alarm, tries, ended, target, sites.name, text, rule, serial, "
		"CASE WHEN ended = 1 THEN end_ms ELSE begin_ms END FROM outbox JOIN alarms ON "
		"alarms.id = alarm JOIN sites ON sites.id = alarms.site WHERE done_ms IS NULL AND "
		"due_ms <= $1 ORDER BY due_ms LIMIT $2",
		"ii", now_ms, (int64_t)GROUP);

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		struct message *message = &messages[n];
		int rule = watch_rule_find(sql_text(rows, 7));

		ret = 0;
		if (rule < 0) {
			continue;
		}
		*message = (struct message){
			.id = sql_int(rows, 0),
			.alarm = sql_int(rows, 1),
			.tries = sql_int(rows, 2),
			.ended = sql_int(rows, 3) != 0,
			.rule = rule,
			.serial = (uint64_t)sql_int(rows, 8),
			.time_ms = sql_int(rows, 9),
		};
		snprintf(message->target, sizeof(message->target), "%s", sql_text(rows, 4));
		snprintf(message->site, sizeof(message->site), "%s", sql_text(rows, 5));
		snprintf(message->text, sizeof(message->text), "%s", sql_text(rows, 6));
		n++;
	}
	return ret < 0 ? ret : n;
}

static int record(struct sql *sql, const struct message *message, const char *error, int64_t now_ms)
{
	int64_t wait_ms = notify_retry_ms(message->tries);
	int ret;

	if (!error) {
		ret = sql_run(sql, "UPDATE outbox SET done_ms = $2, error = NULL WHERE id = $1",
			      "ii", message->id, now_ms);
	} else {
		log_warning("message about alarm %" PRId64 " to %s: %s%s", message->alarm,
			    message->target, error, wait_ms ? "" : "; given up");
		ret = sql_run(
			sql,
			"UPDATE outbox SET tries = tries + 1, due_ms = $2, error = $3, done_ms = $4 "
			"WHERE id = $1",
			"iisn", message->id, now_ms + wait_ms, error, wait_ms ? SQL_NULL : now_ms);
	}
	return ret < 0 ? ret : 0;
}

int notify_run(const struct config *config, struct sql *sql, int64_t now_ms, const bool *stop)
{
	struct message *messages __cleanup(free_ptr) = calloc(GROUP, sizeof(*messages));
	int sent = 0;
	int n = messages ? read_due(sql, now_ms, messages) : -ENOMEM;

	for (int i = 0; i < n && !*stop; i++) {
		bool mail = strncmp(messages[i].target, "mailto:", 7) == 0;
		const char *error;
		char err[200];
		int ret;

		if (mail && !config->smtp[0]) {
			error = "no mail server is configured";
		} else {
			error = mail ? send_mail(config, &messages[i], err, sizeof(err))
				     : post_webhook(config, &messages[i], err, sizeof(err));
		}
		ret = record(sql, &messages[i], error, now_ms);
		if (ret < 0) {
			return ret;
		}
		sent += !error;
	}
	return n < 0 ? n : sent;
}
