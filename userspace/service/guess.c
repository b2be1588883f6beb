// SPDX-License-Identifier: GPL-2.0-or-later
#include "guess.h"

#include <stdio.h>
#include <string.h>

#define WAIT_FIRST_MS 1000
#define WAIT_MAX_MS (15 * 60 * 1000)
#define FORGET_MS (60 * 60 * 1000)

/* Entry of a key, or -1. A longer key is compared by what fits. */
static int find(const struct guess *guess, const char *key)
{
	for (int i = 0; i < GUESS_KEYS_MAX; i++) {
		if (guess->entry[i].key[0] &&
		    !strncmp(guess->entry[i].key, key, GUESS_KEY_SIZE - 1)) {
			return i;
		}
	}
	return -1;
}

/* A free entry, or the one with the oldest failure. */
static struct guess_key *oldest(struct guess *guess)
{
	struct guess_key *found = &guess->entry[0];

	for (int i = 0; i < GUESS_KEYS_MAX && found->key[0]; i++) {
		if (!guess->entry[i].key[0] || guess->entry[i].last_ms < found->last_ms) {
			found = &guess->entry[i];
		}
	}
	return found;
}

int64_t guess_wait_ms(const struct guess *guess, const char *key, int64_t now_ms)
{
	int i = find(guess, key);

	return i >= 0 && guess->entry[i].until_ms > now_ms ? guess->entry[i].until_ms - now_ms : 0;
}

/* 1 s after the first failure that is not free, doubled by each further one. */
static int64_t wait_after(unsigned int failures)
{
	int64_t wait_ms = WAIT_FIRST_MS;

	for (unsigned int n = GUESS_FREE + 1; n < failures && wait_ms < WAIT_MAX_MS; n++) {
		wait_ms *= 2;
	}
	return wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS;
}

void guess_failed(struct guess *guess, const char *key, int64_t now_ms)
{
	int i = find(guess, key);
	struct guess_key *entry = i >= 0 ? &guess->entry[i] : oldest(guess);

	if (i < 0 || now_ms - entry->last_ms >= FORGET_MS) {
		*entry = (struct guess_key){ 0 };
		snprintf(entry->key, sizeof(entry->key), "%s", key);
	}
	entry->failures++;
	entry->last_ms = now_ms;
	if (entry->failures > GUESS_FREE) {
		entry->until_ms = now_ms + wait_after(entry->failures);
	}
}

void guess_passed(struct guess *guess, const char *key)
{
	int i = find(guess, key);

	if (i >= 0) {
		guess->entry[i] = (struct guess_key){ 0 };
	}
}
