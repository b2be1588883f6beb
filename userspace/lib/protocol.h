/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The protocol of the daemon's sockets, for both ends: one JSON object a line, see
 * Documentation/protocol.md.
 */
#ifndef QS1_PROTOCOL_H
#define QS1_PROTOCOL_H

#include <stddef.h>

#include <json-c/json.h>

#include "profile.h"

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

/* The values of a profile as such an object, which the caller puts. */
struct json_object *protocol_values(const struct qs1_profile *profile);

/* QS1_FAULT_BIT() bits as an array of names, which the caller puts. */
struct json_object *protocol_faults(uint32_t bits);

#endif /* QS1_PROTOCOL_H */
