/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sites: what a person enters, and their end. */
#ifndef EMAD_SITES_H
#define EMAD_SITES_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "http.h"
#include "store.h"

/* Rated power of an inverter, W. */
#define SITES_RATED_W 1200
/* The manual's template of an installation map has 22 columns. */
#define SITES_MAP_EMPTY                                                                            \
	"{\"rows\":10,\"columns\":22,\"azimuth_deg\":180,\"tilt_deg\":30,\"modules\":[],\"labels\":[]}"

/**
 * struct sites_new - a site as entered; NULL and NAN for what is absent
 * @id: of sites_number(); SQL_NULL when the database numbers it
 */
struct sites_new {
	int64_t id;
	const char *name;
	const char *address;
	double lat;
	double lon;
	int64_t customer;
	const char *customer_name;
	const char *installed_on;
	const char *installer;
	int64_t warranty_years;
	const char *note;
};

/**
 * sites_parse() - read a site from JSON
 * @site: refers to @body
 *
 * Return: 0 or -EINVAL with @err.
 */
int sites_parse(struct json_object *body, struct sites_new *site, char *err, size_t size);

/* Number a new site. Return: 0, or a negative errno after a reply. */
int sites_number(struct http_request *request, struct sites_new *site);

/**
 * sites_place() - find the shard that a new site belongs to
 * @site: of sites_number()
 *
 * Return: the connection to it, NULL after a reply.
 */
struct sql *sites_place(struct http_request *request, const struct sites_new *site);

/**
 * sites_add() - create a site, and its customer when @site names a new one
 * @sql: of sites_place()
 *
 * Return: its number; -EINVAL without name or customer; -EPERM for a customer of somebody else.
 */
int64_t sites_add(struct http_request *request, struct sql *sql, const struct sites_new *site,
		  int64_t now_ms);

/* Change what is not absent. Return: 1, 0 when the site is not there, or a negative errno. */
int sites_change(struct sql *sql, int64_t id, const struct sites_new *site);

/* sites_parse() with a reply of 400. */
bool sites_read(struct http_request *request, struct json_object *body, struct sites_new *site);

/**
 * sites_check_map() - is a roof map what openapi.json says?
 *
 * Every module lies within the grid, no two in one place, no input of an inverter twice.
 */
int sites_check_map(struct json_object *map, char *err, size_t size);

/**
 * sites_lock() - begin what must not happen in two shards at once: an enrolment, a hand-over
 *
 * Nothing for a database without shards, whose unique keys are enough.
 *
 * Return: 0, or a negative errno after a reply.
 */
int sites_lock(struct http_request *request);
/* After the commit. */
void sites_unlock(struct http_request *request);

/**
 * sites_enrol() - make a one-time code for an ECU of a site, after sites_lock()
 * @ret_error: 0; -EEXIST when the ECU belongs to another site; or a negative errno
 *
 * Return: the object Enrolment of openapi.json, NULL on an error.
 */
struct json_object *sites_enrol(struct http_request *request, struct sql *sql, int64_t site,
				uint64_t ecu, int64_t now_ms, int *ret_error);

/* What was deleted. */
struct sites_deleted {
	int64_t sites;
	int64_t batches;
	int64_t days;
	int64_t users;
	bool key_destroyed;
};

/* Delete a site with all that belongs to it. */
int sites_delete(struct sql *sql, int64_t id, struct sites_deleted *deleted);

/* Delete the sites of a customer, and the tenant, in one shard. */
int sites_delete_customer(struct sql *sql, int64_t tenant, struct sites_deleted *deleted);

#endif /* EMAD_SITES_H */
