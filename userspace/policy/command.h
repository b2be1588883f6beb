/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands of policy as requests of the daemon's protocol, Documentation/protocol.md: "start",
 * "stop", "clear", "set", "profile-use", "limit". Pure, so that the daemon and a simulated unit
 * take the same requests and answer them with the same words.
 */
#ifndef QS1_COMMAND_H
#define QS1_COMMAND_H

#include <json-c/json.h>

#include "policy.h"

/* Longest lease of a limit, s. */
#define COMMAND_LEASE_MAX_S 86400

/**
 * command_parse() - the command that a request asks for
 * @request: JSON object
 * @now_ms: monotonic time, from which a lease counts
 * @ret_command: untouched on failure
 * @err: on failure what was expected and what was found
 *
 * Return: 0; -EINVAL, -ERANGE for a member that is missing or wrong; -ENOENT for a parameter or a
 * request that does not exist.
 */
int command_parse(struct json_object *request, int64_t now_ms, struct policy_command *ret_command,
		  char *err, size_t size);

/**
 * command_outcome_text() - the end of a command that is not done, in words
 * @refusal: the firmware's words for the last refusal, "" for none
 */
void command_outcome_text(const struct policy *policy, enum policy_command_kind kind,
			  const struct policy_answer *answer, const char *refusal, char *text,
			  size_t size);

/*
 * Stock ECUs, whose frames have no seal: they may pair with a unit and command it only where the
 * owner allows it, while no ECU of ours has its key, and for this time after it was powered up.
 * Their limit, W for each of the four inputs, and their on/off switch belong to two owners, so that
 * switching on again does not change the limit. A lease ends both after a day without the stock
 * ECU.
 */
#define COMMAND_STOCK_WINDOW_MS (10 * 60 * 1000)

/**
 * command_stock_check() - may a stock ECU pair with this unit or command it now?
 * @window_ms: COMMAND_STOCK_WINDOW_MS, 0 where the owner does not allow it, INT64_MAX for a stock
 * unit
 * @up_ms: time since the unit was powered up
 * @ret_reason: set on failure
 *
 * Return: 0, or -EACCES.
 */
int command_stock_check(const struct policy *policy, int64_t window_ms, int64_t up_ms,
			const char **ret_reason);

/* A stock ECU's command: on or off; a limit of each input, W. */
struct policy_command command_stock_switch(bool on, int64_t now_ms);
struct policy_command command_stock_limit(int panel_w, int64_t now_ms);

#endif /* QS1_COMMAND_H */
