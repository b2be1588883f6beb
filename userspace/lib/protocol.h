/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol of the daemon's sockets, for both ends: one JSON object a line, see
 * Documentation/protocol.md.
 */
#ifndef QS1_PROTOCOL_H
#define QS1_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "profile.h"

/* Owner of the limit that a stock ECU sets, of all four inputs together. */
#define PROTOCOL_STOCK_OWNER "stock-ecu"

#define PROTOCOL_VERSION 1
/* qs1d sends an answer within this time after the previous one. */
#define PROTOCOL_ANSWER_S 30
#define PROTOCOL_SOCKET "/run/qs1/qs1d.sock"

/**
 * protocol_profile() - a profile from a JSON object, checked like a file
 * @name: of the profile
 * @values: object of decimal numbers as strings
 * @ret_profile: untouched on failure
 * @err: on failure the reason
 *
 * Return: 0 or -EINVAL.
 */
int protocol_profile(const char *name, struct json_object *values, struct qs1_profile *ret_profile,
		     char *err, size_t size);

/**
 * protocol_params() - the parameters that the request "get" asks for
 * @request: its member "name" is a name, an array of names, or absent for all
 * @ret_wanted: by enum qs1_param; untouched on failure
 * @err: on failure the reason
 *
 * Return: 0, -ENOENT for an unknown name, -EINVAL for another type.
 */
int protocol_params(struct json_object *request, bool ret_wanted[QS1_PARAM_COUNT], char *err,
		    size_t size);

/* The values of a profile as such an object, which the caller puts. */
struct json_object *protocol_values(const struct qs1_profile *profile);

/* QS1_FAULT_BIT() bits as an array of names, which the caller puts. */
struct json_object *protocol_faults(uint32_t bits);

/**
 * protocol_parse() - strict JSON: one value, and nothing after it
 * @text: @n characters
 *
 * Return: the value, which the caller puts; NULL for anything else.
 */
struct json_object *protocol_parse(const char *text, size_t n);

/* A text member of a request, or NULL. */
const char *protocol_text(struct json_object *request, const char *name);

/* An optional boolean. Return: 0, or -EINVAL for another type. */
int protocol_bool(struct json_object *request, const char *name, bool *ret_value);

/* An optional whole number. Return: 0, or -EINVAL for another type or out of the range. */
int protocol_int(struct json_object *request, const char *name, int64_t min, int64_t max,
		 int64_t *ret_value);

/* The members of an answer that is a success; @result is used up. */
void protocol_add_result(struct json_object *answer, struct json_object *result);

/* The members of an answer that is a failure; @error is a negative errno. */
void protocol_add_error(struct json_object *answer, const char *outcome, int error,
			const char *message);

#endif /* QS1_PROTOCOL_H */
