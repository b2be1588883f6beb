/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stock ECU's protocol on TCP port 8899: commands 0001 to 0004 and 0030, for programs written
 * for it. It has no value for "unknown": an inverter that does not answer is marked offline, and
 * its readings are 0. It cannot write.
 */
#ifndef ECUD_APS_H
#define ECUD_APS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ecud.h"

/* Longest reply: 254 inverters of 23 bytes. */
#define APS_REPLY_MAX 8192

/**
 * aps_take() - answer the first request of some bytes
 * @reply: APS_REPLY_MAX bytes
 * @ret_n: length of the reply; 0 for a command that the protocol does not have
 *
 * The length that the request states is not checked: clients send wrong ones.
 *
 * Return: length of the request with its newline, 0 when more bytes are needed, -EPROTO for what
 * is no request.
 */
ssize_t aps_take(struct ecu *ecu, const uint8_t *bytes, size_t n, uint8_t *reply, size_t *ret_n);

extern const struct interface interface_aps;

#endif /* ECUD_APS_H */
