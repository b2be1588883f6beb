// SPDX-License-Identifier: GPL-2.0-only
/* Requests of the generated ECUs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curl_ca.h"
#include "fleet.h"

/* The service holds a request for orders for 50 s. */
#define TIMEOUT_S 80
/* Of requests to the web interface, and time between them, ms. */
#define TRIES 5
#define TRY_MS 2000

static size_t take_answer(char *bytes, size_t size, size_t n, void *ctx)
{
	struct answer *answer = ctx;
	char *more = realloc(answer->text, answer->n + size * n + 1);

	if (!more) {
		return 0;
	}
	answer->text = more;
	memcpy(more + answer->n, bytes, size * n);
	answer->n += size * n;
	more[answer->n] = '\0';
	return size * n;
}

void request_set(CURL *curl, const struct call *call, struct answer *answer)
{
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, call->url);
	curl_ca_only(curl, options.ca);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, call->header);
	if (call->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)call->n);
	}
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (call->ecu) {
		curl_easy_setopt(curl, CURLOPT_SSLCERT, call->ecu->cert);
		curl_easy_setopt(curl, CURLOPT_SSLKEY, call->ecu->key);
	}
}

int request_run(CURL *curl, const struct call *call, struct answer *ret_answer)
{
	struct answer answer = { 0 };
	CURLcode code;

	request_set(curl, call, &answer);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
	if (code != CURLE_OK) {
		snprintf(ret_answer->error, sizeof(ret_answer->error), "%s",
			 curl_easy_strerror(code));
		free(answer.text);
		return -EIO;
	}
	*ret_answer = answer;
	return 0;
}

/* Tries again when there is no answer, or the service is busy. */
static int try_run(CURL *curl, const struct call *call, struct answer *ret_answer)
{
	for (int i = 0; i < TRIES && !stopped; i++) {
		struct answer answer = { 0 };
		int ret = request_run(curl, call, &answer);

		if (ret == 0 && answer.status < 500) {
			*ret_answer = answer;
			return 0;
		}
		fprintf(stderr, "%s: %ld %s\n", call->url, answer.status,
			ret < 0	      ? answer.error
			: answer.text ? answer.text
				      : "");
		free(answer.text);
		sleep_ms(TRY_MS);
	}
	return -EIO;
}

struct json_object *request_json(CURL *curl, const char *url, const char *token,
				 const struct ecu *ecu, struct json_object *body)
{
	const char *text = body ? json_object_to_json_string(body) : NULL;
	struct curl_slist *header = curl_slist_append(NULL, "Content-Type: application/json");
	struct call call = { .url = url, .ecu = ecu, .body = text, .n = text ? strlen(text) : 0 };
	struct json_object *json = NULL;
	struct answer answer;
	char bearer[200];

	if (token) {
		snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s", token);
		header = curl_slist_append(header, bearer);
	}
	call.header = header;
	if (try_run(curl, &call, &answer) == 0) {
		if (answer.status < 300) {
			json = json_tokener_parse(answer.text ? answer.text : "");
		} else {
			fprintf(stderr, "%s: %ld %s\n", url, answer.status,
				answer.text ? answer.text : "");
		}
		free(answer.text);
	}
	curl_slist_free_all(header);
	json_object_put(body);
	return json;
}
