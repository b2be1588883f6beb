/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of the store that cannot be read. Nothing else waits for them: they are set aside in the
 * table "damaged", with their bytes, and the gateway reports them once.
 */
#ifndef ECUD_STORE_DAMAGE_H
#define ECUD_STORE_DAMAGE_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

/* Of struct damage, with the NUL. */
#define DAMAGE_TEXT_SIZE 100

/**
 * struct damage - what has been set aside since the store was made
 * @count: rows
 * @newest: what the last one was; "" without one
 */
struct damage {
	uint64_t count;
	char newest[DAMAGE_TEXT_SIZE];
};

/**
 * damage_keep() - set bytes aside, once for each text
 * @bytes: of @n; the caller removes or replaces the row itself
 * @format: what it is and which one, as "readings of minute 29671800"
 *
 * Return: 0 or a negative errno.
 */
int damage_keep(sqlite3 *db, const void *bytes, size_t n, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Set the row of a minute aside; it stays in its table until its time is over. */
int damage_keep_minute(sqlite3 *db, int64_t minute);

/* Return: 0 or a negative errno; @ret untouched then. */
int damage_get(sqlite3 *db, struct damage *ret);

#endif /* ECUD_STORE_DAMAGE_H */
