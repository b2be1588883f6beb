/* SPDX-License-Identifier: GPL-2.0-or-later */
/* REST interface: what its files share. openapi.json describes it. */
#ifndef ECUD_REST_H
#define ECUD_REST_H

#include "../service/auth.h"
#include "../service/http.h"
#include "ecud.h"

/**
 * struct rest - state of the interface
 * @ecu: the gateway
 * @auth_db, @auth: users, in their own database
 * @tls: certificate in force
 * @renew_us: when it is looked at again
 * @fingerprint: hash of its key, which it keeps when it is renewed; "" without TLS
 * @server: for pages and programs
 * @local: the same routes on a Unix socket, for ecuctl
 * @stream: events of @server; @local_stream of @local
 * @status: the last one of the streams without its times; @status_us: when it was sent
 * @openapi: the description, with the schemas of the readings
 */
struct rest {
	struct ecu *ecu;
	sqlite3 *auth_db;
	struct auth *auth;
	struct tls_pair tls;
	uint64_t renew_us;
	char fingerprint[TLS_HASH_HEX_SIZE];
	struct http_server *server;
	struct http_server *local;
	struct http_channel *stream;
	struct http_channel *local_stream;
	struct sd_event_source *tick;
	struct json_object *status;
	uint64_t status_us;
	char *openapi;
};

/* Columns: operation, method, path, roles, flags, longest body. */
#define ROUTE(operation, method, path, roles, flags, body_max)                                     \
	void rest_##operation(struct http_request *request);
#include "routes.inc"
#undef ROUTE

void rest_get_metrics(struct http_request *request);

/* The state that a handler works with. */
static inline struct rest *rest_of(const struct http_request *request)
{
	return http_ctx(request);
}

/* The unit of the path; replies with 404 and returns false if there is none. */
bool rest_unit(struct http_request *request, struct model_unit *ret_unit);

/* Append to the audit log: who, from where, what, and whether it was done. */
void rest_audit(struct http_request *request, const char *action, const char *target,
		const char *result);

/* Tell the stream what has changed; see model_watch(). */
void rest_changed(void *ctx, enum model_change change, int unit, uint64_t number);

extern const struct interface interface_rest;

#endif /* ECUD_REST_H */
