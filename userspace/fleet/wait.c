// SPDX-License-Identifier: GPL-2.0-only
/* Requests for orders that the service holds, of all ECUs in one thread, see fleet.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "fleet.h"

/* As an ECU does. */
#define WAIT_S 50
/* After a failure, to twice as long, ms. */
#define RETRY_MS 5000
/* Spread the starts of the ECUs, because their handshakes are not measured, ms per ECU. */
#define BEGIN_MS 5

/**
 * struct waiter - the request of one ECU
 * @due_us: when it begins; UINT64_MAX while it is under way
 */
struct waiter {
	struct ecu *ecu;
	CURL *curl;
	struct answer answer;
	uint64_t due_us;
};

static void begin(CURLM *multi, struct waiter *waiter)
{
	struct call call = { .ecu = waiter->ecu };
	char url[300];

	snprintf(url, sizeof(url), "%s/uplink/v1/orders?wait=%d", options.uplink, WAIT_S);
	call.url = url;
	waiter->answer = (struct answer){ 0 };
	waiter->due_us = UINT64_MAX;
	request_set(waiter->curl, &call, &waiter->answer);
	curl_easy_setopt(waiter->curl, CURLOPT_PRIVATE, waiter);
	curl_multi_add_handle(multi, waiter->curl);
}

static void end(CURLM *multi, const CURLMsg *message,
		void (*take)(struct ecu *ecu, struct json_object *answer))
{
	struct waiter *waiter;
	long status = 0;

	curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &waiter);
	curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
	waiter->due_us = now_us();
	if (message->data.result == CURLE_OK && status == 200) {
		struct json_object *json = json_tokener_parse(waiter->answer.text);

		take(waiter->ecu, json);
		json_object_put(json);
	} else {
		waiter->due_us += 1000 * (RETRY_MS + (uint64_t)randombytes_uniform(RETRY_MS));
	}
	free(waiter->answer.text);
	curl_multi_remove_handle(multi, message->easy_handle);
}

void wait_for_orders(struct ecu *ecu, int n,
		     void (*take)(struct ecu *ecu, struct json_object *answer))
{
	struct waiter *waiters = calloc((size_t)n, sizeof(*waiters));
	CURLM *multi = curl_multi_init();
	int running;

	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)n + 16);
	for (int i = 0; i < n && waiters; i++) {
		waiters[i] = (struct waiter){ .ecu = &ecu[i],
					      .curl = curl_easy_init(),
					      .due_us = now_us() + (uint64_t)i * BEGIN_MS * 1000 };
	}
	while (waiters && !stopped) {
		uint64_t now = now_us();
		CURLMsg *message;
		int left;

		for (int i = 0; i < n; i++) {
			if (waiters[i].due_us <= now) {
				begin(multi, &waiters[i]);
			}
		}
		curl_multi_perform(multi, &running);
		while ((message = curl_multi_info_read(multi, &left))) {
			end(multi, message, take);
		}
		curl_multi_poll(multi, NULL, 0, 50, NULL);
	}
	for (int i = 0; i < n && waiters; i++) {
		curl_multi_remove_handle(multi, waiters[i].curl);
		curl_easy_cleanup(waiters[i].curl);
	}
	curl_multi_cleanup(multi);
	free(waiters);
}
