/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SunSpec Modbus TCP server. */
#ifndef ECUD_MODBUS_H
#define ECUD_MODBUS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ecud.h"

/* Longest reply: header, function, byte count, 125 registers. */
#define MODBUS_REPLY_MAX (7 + 2 + 250)

struct modbus;

/* The server without its socket, for tests. */
struct modbus *modbus_new(struct ecu *ecu);

/**
 * modbus_take() - answer the first request of some bytes
 * @from: address of the client
 * @reply: MODBUS_REPLY_MAX bytes
 * @ret_n: length of the reply
 *
 * Return: length of the request, 0 when more bytes are needed, -EPROTO for what is not Modbus.
 */
ssize_t modbus_take(struct modbus *modbus, const char *from, const uint8_t *bytes, size_t n,
		    uint8_t *reply, size_t *ret_n);

extern const struct interface interface_modbus;

#endif /* ECUD_MODBUS_H */
