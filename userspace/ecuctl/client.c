// SPDX-License-Identifier: GPL-2.0-or-later
#include "client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "../lib/curl_ca.h"
#include "../lib/util.h"

#define TIMEOUT_S 60
#define TOKEN_SIZE 128
#define URL_SIZE 1024

/**
 * struct exchange - a request and its reply
 * @file: where the reply goes; NULL for @reply
 * @reply: of @n bytes, ended by NUL
 */
struct exchange {
	CURL *curl;
	struct curl_slist *headers;
	FILE *file;
	char *reply;
	size_t n;
	char token[TOKEN_SIZE];
};

static void end_exchange(struct exchange *exchange)
{
	/* one has the token; a reply may have the first-use code or a label */
	for (struct curl_slist *each = exchange->headers; each; each = each->next) {
		explicit_bzero(each->data, strlen(each->data));
	}
	curl_slist_free_all(exchange->headers);
	if (exchange->curl) {
		curl_easy_cleanup(exchange->curl);
	}
	if (exchange->reply) {
		explicit_bzero(exchange->reply, exchange->n);
	}
	free(exchange->reply);
	explicit_bzero(exchange->token, sizeof(exchange->token));
}

/* An error comes as JSON, also where a file was expected. */
static bool is_error(const struct exchange *exchange)
{
	long status = 0;

	curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
	return status >= 400;
}

static size_t take(char *data, size_t one, size_t n, void *ctx)
{
	struct exchange *exchange = ctx;
	char *grown;

	(void)one;
	if (exchange->file && !is_error(exchange)) {
		return fwrite(data, 1, n, exchange->file);
	}
	grown = realloc(exchange->reply, exchange->n + n + 1);
	if (!grown) {
		return 0;
	}
	memcpy(grown + exchange->n, data, n);
	exchange->reply = grown;
	exchange->n += n;
	exchange->reply[exchange->n] = '\0';
	return n;
}

static int load_token(struct exchange *exchange, const char *path, char *err, size_t size)
{
	FILE *file __cleanup(close_file) = fopen(path, "re");
	char header[TOKEN_SIZE + 32];

	if (!file || !fgets(exchange->token, sizeof(exchange->token), file)) {
		snprintf(err, size, "%s: expected a token in its first line", path);
		return -EINVAL;
	}
	exchange->token[strcspn(exchange->token, "\r\n")] = '\0';
	snprintf(header, sizeof(header), "Authorization: Bearer %s", exchange->token);
	exchange->headers = curl_slist_append(exchange->headers, header);
	explicit_bzero(header, sizeof(header));
	return 0;
}

static int begin(struct exchange *exchange, const struct client *client, const char *method,
		 const char *path, char *err, size_t size)
{
	char url[URL_SIZE];

	exchange->curl = curl_easy_init();
	if (!exchange->curl) {
		return -ENOMEM;
	}
	snprintf(url, sizeof(url), "%s/api/v1%s", client->url ? client->url : "http://localhost",
		 path);
	curl_easy_setopt(exchange->curl, CURLOPT_URL, url);
	curl_easy_setopt(exchange->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(exchange->curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
	curl_easy_setopt(exchange->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(exchange->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(exchange->curl, CURLOPT_WRITEDATA, exchange);
	if (!client->url) {
		curl_easy_setopt(exchange->curl, CURLOPT_UNIX_SOCKET_PATH, client->socket);
		return 0;
	}
	if (client->ca) {
		curl_ca_only(exchange->curl, client->ca);
	}
	return client->token_file ? load_token(exchange, client->token_file, err, size) : 0;
}

/* The message of an error, or the status. */
static void explain(const struct exchange *exchange, char *err, size_t size)
{
	struct json_object *json = exchange->reply ? json_tokener_parse(exchange->reply) : NULL;
	struct json_object *message =
		json_object_object_get(json_object_object_get(json, "error"), "message");
	long status = 0;

	curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
	if (message) {
		snprintf(err, size, "%s", json_object_get_string(message));
	} else {
		snprintf(err, size, "the gateway replied with status %ld", status);
	}
	json_object_put(json);
}

static int perform(struct exchange *exchange, const struct client *client, char *err, size_t size)
{
	CURLcode code;

	curl_easy_setopt(exchange->curl, CURLOPT_HTTPHEADER, exchange->headers);
	code = curl_easy_perform(exchange->curl);
	if (code != CURLE_OK) {
		snprintf(err, size, "%s: %s", client->url ? client->url : client->socket,
			 curl_easy_strerror(code));
		return code == CURLE_WRITE_ERROR ? -EIO : -ENOTCONN;
	}
	if (is_error(exchange)) {
		explain(exchange, err, size);
		return -EPERM;
	}
	return 0;
}

static int parse(const struct exchange *exchange, struct json_object **ret_reply, char *err,
		 size_t size)
{
	struct json_object *json;

	if (!ret_reply) {
		return 0;
	}
	json = exchange->reply ? json_tokener_parse(exchange->reply) : NULL;
	if (!json) {
		snprintf(err, size, "expected JSON from the gateway, found another reply");
		return -EPROTO;
	}
	*ret_reply = json;
	return 0;
}

int client_call(const struct client *client, const char *method, const char *path,
		struct json_object *body, struct json_object **ret_reply, char *err, size_t size)
{
	struct exchange exchange __cleanup(end_exchange) = { 0 };
	int ret = begin(&exchange, client, method, path, err, size);
	char *text = body ? (char *)json_object_to_json_string(body) : NULL;

	if (ret == 0 && text) {
		exchange.headers =
			curl_slist_append(exchange.headers, "Content-Type: application/json");
		curl_easy_setopt(exchange.curl, CURLOPT_POSTFIELDS, text);
	}
	ret = ret < 0 ? ret : perform(&exchange, client, err, size);
	if (text) {
		/* it may have a key or a label */
		explicit_bzero(text, strlen(text));
	}
	json_object_put(body);
	return ret < 0 ? ret : parse(&exchange, ret_reply, err, size);
}

int client_upload(const struct client *client, const char *path, const char *type, FILE *file,
		  struct json_object **ret_reply, char *err, size_t size)
{
	struct exchange exchange __cleanup(end_exchange) = { 0 };
	int ret = begin(&exchange, client, "POST", path, err, size);
	char header[80];
	long n;

	if (ret < 0) {
		return ret;
	}
	if (fseek(file, 0, SEEK_END) < 0 || (n = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) < 0) {
		snprintf(err, size, "expected a file that can be read twice");
		return -EINVAL;
	}
	snprintf(header, sizeof(header), "Content-Type: %s", type);
	exchange.headers = curl_slist_append(exchange.headers, header);
	exchange.headers = curl_slist_append(exchange.headers, "Expect:");
	curl_easy_setopt(exchange.curl, CURLOPT_POST, 1L);
	curl_easy_setopt(exchange.curl, CURLOPT_POSTFIELDSIZE, n);
	curl_easy_setopt(exchange.curl, CURLOPT_READDATA, file);
	ret = perform(&exchange, client, err, size);
	return ret < 0 ? ret : parse(&exchange, ret_reply, err, size);
}

int client_download(const struct client *client, const char *path, FILE *file, char *err,
		    size_t size)
{
	struct exchange exchange __cleanup(end_exchange) = { .file = file };
	int ret = begin(&exchange, client, "GET", path, err, size);

	ret = ret < 0 ? ret : perform(&exchange, client, err, size);
	if (ret == 0 && fflush(file)) {
		snprintf(err, size, "%s", strerror(errno));
		ret = -errno;
	}
	return ret;
}
