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

#endif /* QS1_COMMAND_H */
