/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Converts the answers of qs1d (Documentation/protocol.md) to the formats of the link. */
#ifndef LINKD_STATE_H
#define LINKD_STATE_H

#include <json-c/json.h>

#include "unit.h"

/**
 * state_read() - a result of "status" or "report"
 * @status: the object
 * @state: readings that are missing or null become FIELD_ABSENT; @base_wh stays
 *
 * Return: 0, or -ENODATA without a serial number: the unit has no label.
 */
int state_read(struct json_object *status, struct unit_state *state);

/**
 * state_event() - one element of a result of "events"
 *
 * Return: 0, or -EINVAL without a number or with an unknown kind. @ret untouched on failure.
 */
int state_event(struct json_object *event, struct own_event *ret);

/* Errno of an answer that is not ok, as a positive number; EIO for one without a known name. */
int state_error(struct json_object *answer);

/**
 * state_angle() - the loop's angle of qs1d's answer to "angle"
 * @ret_deg: from 0 to 360
 * @ret_hz: grid frequency
 * @ret_us: CLOCK_MONOTONIC when it was read
 *
 * Return: 0, or -ENODATA; results are untouched then.
 */
int state_angle(struct json_object *result, double *ret_deg, double *ret_hz, uint64_t *ret_us);

#endif /* LINKD_STATE_H */
