/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limit on guesses of secrets: passwords, first-use codes, tokens. Pure: the caller brings the
 * time.
 *
 * The first GUESS_FREE failures of a key cost nothing, then each failure doubles the time in which
 * the key is refused, from 1 s to 15 min. A key without failures for an hour is forgotten. A key is
 * an address, or an account: who is refused by either is refused.
 */
#ifndef QS1_GUESS_H
#define QS1_GUESS_H

#include <stdint.h>

#define GUESS_FREE 5
#define GUESS_KEYS_MAX 256
#define GUESS_KEY_SIZE 96

/**
 * struct guess_key - failures of one address or account
 * @key: name; "" for a free entry
 * @failures: in a row
 * @until_ms: refused until then
 * @last_ms: time of the last failure
 */
struct guess_key {
	char key[GUESS_KEY_SIZE];
	unsigned int failures;
	int64_t until_ms;
	int64_t last_ms;
};

/* All zero to start. The entry with the oldest failure gives way when the table is full. */
struct guess {
	struct guess_key entry[GUESS_KEYS_MAX];
};

/* Time in ms for which a key is still refused at @now_ms (monotonic); 0 if it may try. */
int64_t guess_wait_ms(const struct guess *guess, const char *key, int64_t now_ms);

/* Count a failure. */
void guess_failed(struct guess *guess, const char *key, int64_t now_ms);

/* Forget the failures of a key after a success. */
void guess_passed(struct guess *guess, const char *key);

#endif /* QS1_GUESS_H */
