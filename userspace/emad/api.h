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
#define API_VISIBLE "sites.arriving = 0 AND CAST($1 AS BIGINT) IS NOT NULL"
#else
#define API_VISIBLE "sites.arriving = 0 AND ($1 = -1 OR sites.customer = $1 OR sites.company = $1)"
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

/* This thread's connection to a shard with the rights of the user of the request; NULL, without a
 * reply, if the shard does not answer. */
struct sql *api_shard(struct http_request *request, int shard);

/* The same of the first shard that answers, for tenants, rules and notifications; NULL after a
 * reply. */
struct sql *api_sql(struct http_request *request);

/* Reply that a shard does not answer. */
void api_unreachable(struct http_request *request);

/**
 * api_find() - the shard that has a row, with the rights of the user of the request
 * @text: query with one column, an integer above 0, or no row; $1 is the tenant
 * @ret_value: the integer, 0 when there is none; NULL for none
 *
 * Return: its connection, that of the first shard when there is none; NULL after a reply.
 */
struct sql *api_find(struct http_request *request, int64_t *ret_value, const char *text,
		     const char *types, ...);

/* Connections to all shards. Return: 0, or -ENOTCONN after a reply. */
int api_reach_all(struct http_request *request, struct sql **ret_sql);

/**
 * api_run_all() - run a statement in all shards
 *
 * Nothing is changed unless all shards answer.
 *
 * Return: 0, or a negative errno after a reply.
 */
int api_run_all(struct http_request *request, const char *text, const char *types, ...);

/**
 * struct api_order - how the rows of a list are sorted; column 0 is a number that no other row has
 * @column: that is compared first, NULL as -1; 0 for none
 * @text: as text
 * @falling: the highest first
 * @id_falling: of the rows that are equal in @column
 */
struct api_order {
	int column;
	bool text;
	bool falling;
	bool id_falling;
};

/**
 * struct api_merge - one list from all shards
 * @rows: of each shard, NULL after the last one
 * @sql: of each shard
 * @current: shard of the row at hand
 * @missing: number of shards that did not answer
 * @left: rows that the list may still have
 */
struct api_merge {
	struct api_order order;
	int64_t left;
	int shards;
	int current;
	int missing;
	struct sql_rows *rows[STORE_SHARDS_MAX];
	struct sql *sql[STORE_SHARDS_MAX];
};

/**
 * api_merge_open() - ask all shards
 * @text: query whose rows come in @order; $1 is the tenant
 *
 * Return: 0, or a negative errno after a reply; then it is closed.
 */
int api_merge_open(struct http_request *request, struct api_merge *merge,
		   const struct api_order *order, const char *text, const char *types, ...);

/* The next row, valid until the next call; NULL after the last one, or with *@ret_error set. */
const struct sql_rows *api_merge_next(struct api_merge *merge, int *ret_error);
void api_merge_close(struct api_merge *merge);

/**
 * api_reply_merge() - reply with an object whose one member is an array of all rows
 * @merge: of api_merge_open(); it is closed
 *
 * A list that misses shards says how many in the member missing_shards.
 */
void api_reply_merge(struct http_request *request, struct api_merge *merge, const char *name,
		     struct json_object *(*element)(const struct sql_rows *rows));

/* Say in a reply that shards are missing in it; @missing has a bit for each. */
void api_missing(struct json_object *json, unsigned int missing);

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

/* The number {id} of the path; 0, which nothing has, for anything else. */
int64_t api_path_id(const struct http_request *request);

/**
 * api_site() - read the site of {id}
 *
 * Return: the connection to its shard; NULL after a reply: 404 when there is none, or not for this
 * tenant; 503 when its shard does not answer.
 */
struct sql *api_site(struct http_request *request, struct api_site *ret_site);

/* The shard of a site that the user of the request may see; as api_find(). */
struct sql *api_find_site(struct http_request *request, int64_t id, int64_t *ret_found);

/* Reply with an error of the database; 503 when the site has left the shard meanwhile. */
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

/* Make a tenant in shard 0. Return: id or a negative errno. */
int64_t api_add_tenant(struct http_request *request, const char *name, const char *kind);

/* A row in the audit log. */
void api_audit(struct http_request *request, const char *action, const char *target,
	       const char *detail);

#define ROUTE(id, method, path, roles, flags, body_max) void api_##id(struct http_request *request);
#include "routes.inc"
#undef ROUTE

#endif /* EMAD_API_H */
