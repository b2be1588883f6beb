/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Power limits of several owners. Each owner has one limit with a lease; the
 * lowest is in force; a lease ends by the monotonic clock, whether or not its
 * owner still lives. Nothing here is kept over a loss of power.
 */
#ifndef QS1_LIMIT_H
#define QS1_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMITS_MAX 16
#define LIMITS_OWNER_SIZE 32

/* In place of a power: no limit. */
#define LIMITS_NONE INT32_MAX
/* In place of a time: until the owner's next command. */
#define LIMITS_FOREVER INT64_MAX

/**
 * struct limit - the limit of one owner
 * @owner: name, NUL terminated
 * @w: W; LIMITS_NONE for none
 * @until_ms: monotonic time at which the lease ends, or LIMITS_FOREVER
 * @then_w: W from then on, until the owner's next command; LIMITS_NONE for none
 */
struct limit {
	char owner[LIMITS_OWNER_SIZE];
	int32_t w;
	int64_t until_ms;
	int32_t then_w;
};

/**
 * struct limits - the limits of all owners
 * @count: used entries of @limit
 */
struct limits {
	size_t count;
	struct limit limit[LIMITS_MAX];
};

/**
 * limits_put() - replace the limit of an owner
 * @limit: with @w LIMITS_NONE and @then_w LIMITS_NONE the owner has none any more
 *
 * Return: 0; -ENOSPC when LIMITS_MAX other owners have a limit.
 */
int limits_put(struct limits *limits, const struct limit *limit);

/* End the leases that are over at @now_ms. */
void limits_expire(struct limits *limits, int64_t now_ms);

/* The lowest limit, W, or LIMITS_NONE. */
int32_t limits_lowest(const struct limits *limits);

#endif /* QS1_LIMIT_H */
