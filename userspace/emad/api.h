/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The web interface. Each operation of openapi.json is one function, named after its operationId;
 * the table of routes is generated from the document, so that an operation without a function, or
 * a role that the document does not give, cannot be built.
 *
 * A tenant sees the sites whose customer or company it is, an operator all. The predicate stands
 * in each statement; on PostgreSQL row-level security holds it a second time.
 */
#ifndef EMAD_API_H
#define EMAD_API_H

#include "config.h"
#include "http.h"
#include "json.h"
#include "store.h"

/*
 * Sites that a tenant may see; $1 is the tenant. A test is built without it, to show that
 * row-level security holds alone.
 */
#ifdef EMAD_WITHOUT_PREDICATE
#define API_VISIBLE "CAST($1 AS BIGINT) IS NOT NULL"
#else
#define API_VISIBLE "($1 = -1 OR sites.customer = $1 OR sites.company = $1)"
#endif

struct ingest;

/**
 * struct api - what the handlers need; the context of the server
 * @control: connection for the audit log
 * @uplink: address of the ECUs' port, for enrolment codes
 * @key_hash: of this service's public key, hexadecimal
 * @ingest: may be NULL: in another process
 * @server: set by api_start()
 */
struct api {
	const struct config *config;
	struct store *store;
	struct auth *auth;
	sqlite3 *control;
	struct ingest *ingest;
	struct http_server *server;
	char uplink[CONFIG_TEXT_SIZE + 24];
	char key_hash[TLS_HASH_HEX_SIZE];
};

/**
 * api_start() - listen
 * @tls: certificate and key
 *
 * Return: 0 or a negative errno with @err.
 */
int api_start(struct http_server **ret_server, struct api *api, const struct tls_pair *tls,
	      char *err, size_t size);

/* A site has changed: followers of its tenants' streams hear it. On a connection that sees all. */
void api_site_changed(struct api *api, int64_t site);

/* About once a second, so that followers see that the service is there. */
void api_stream_tick(void);

/* After the server has stopped. */
void api_stream_end(void);

/* ---- for the handlers ---- */

/* This thread's connection with the rights of the one who asks; NULL after a reply. */
struct sql *api_sql(struct http_request *request);

/* STORE_ALL for an operator. */
int64_t api_tenant(const struct http_request *request);

/**
 * struct api_site - the site that a path names
 */
struct api_site {
	int64_t id;
	int64_t customer;
	int64_t zone_min;
};

/* Read the site of {id}; false after 404: there is none, or not for this tenant. */
bool api_site(struct http_request *request, struct sql *sql, struct api_site *ret_site);

/* Reply with an error of the database. */
void api_failed(struct http_request *request, struct sql *sql, int error);

/**
 * api_reply_rows() - reply with an object whose one member is an array of all rows
 * @rows: of sql_query(), which returned @ret
 * @name: of the member
 * @element: makes the element of a row
 */
void api_reply_rows(struct http_request *request, struct sql *sql, int ret, struct sql_rows *rows,
		    const char *name, struct json_object *(*element)(const struct sql_rows *rows));

/* Member of the body that is an object or an array; NULL when absent. False after 400. */
bool api_member(struct http_request *request, const char *name, enum json_type type,
		struct json_object **ret_member);

/* Optional text of the body; *@ret_text stays when it is absent. False after 400. */
bool api_text(struct http_request *request, const char *name, size_t max, const char **ret_text);

/* Optional integer of the body; null counts as absent. False after 400. */
bool api_optional_int(struct http_request *request, const char *name, int64_t min, int64_t max,
		      int64_t missing, int64_t *ret_value);

/* Make a tenant, on a connection of @asker. Return: id or a negative errno. */
int64_t api_add_tenant(struct sql *sql, int64_t asker, const char *name, const char *kind);

/* A row in the audit log. */
void api_audit(struct http_request *request, const char *action, const char *target,
	       const char *detail);

#define ROUTE(id, method, path, roles, flags, body_max) void api_##id(struct http_request *request);
#include "routes.inc"
#undef ROUTE

#endif /* EMAD_API_H */
