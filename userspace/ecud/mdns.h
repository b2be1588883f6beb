/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Announcement on the local network by mDNS, through Avahi. */
#ifndef ECUD_MDNS_H
#define ECUD_MDNS_H

#include <stddef.h>
#include <stdint.h>

#include "ecud.h"

/* Longest name in a record (RFC 1035, 3.1). */
#define MDNS_NAME_MAX 255

/**
 * mdns_encode_name() - a name as a record has it: labels with their lengths
 * @name: "host.local", with or without a point at its end
 * @ret: MDNS_NAME_MAX bytes
 *
 * Return: bytes written; -EINVAL for an empty label or one of more than 63 bytes; -ENAMETOOLONG.
 */
int mdns_encode_name(const char *name, uint8_t *ret);

extern const struct interface interface_mdns;

#endif /* ECUD_MDNS_H */
