/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Overwrite memory that holds passwords, codes, tokens or keys before it is freed. */
#ifndef QS1_WIPE_H
#define QS1_WIPE_H

#include <stddef.h>

#include <json-c/json.h>

/* Overwrite and free @n bytes; NULL is allowed. */
void wipe_free(void *bytes, size_t n);

/* Overwrite and free a text; for __cleanup(wipe_text). */
void wipe_text(char **text);

/* Overwrite all texts of a tree, then release it. */
void wipe_json(struct json_object *json);

#endif /* QS1_WIPE_H */
