/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * air.h on a Linux wpan interface: a single radio, whose time is the monotonic clock. The kernel's
 * driver does CSMA-CA, acknowledgements and retries; a frame counts as sent when the kernel has
 * taken it.
 *
 * Frames go through a packet socket: a raw socket of AF_IEEE802154 drops the MAC header of what it
 * receives, and with it the sender's PAN. The check sequence is the driver's. The level of a frame
 * is unknown: each has WPAN_LEVEL_DBM.
 */
#ifndef QS1_WPAN_AIR_H
#define QS1_WPAN_AIR_H

#include "air.h"

#define WPAN_LEVEL_DBM (-60.0)

/**
 * wpan_air_new() - the radio of an interface
 * @err: on failure the reason
 *
 * Needs CAP_NET_RAW, and CAP_NET_ADMIN from air_configure() on. Return: NULL on failure.
 */
struct air *wpan_air_new(const char *interface, char *err, size_t size);

/* wpan_air_fd() - readable when wpan_air_receive() has frames */
int wpan_air_fd(const struct air *air);
void wpan_air_receive(struct air *air);

/* wpan_air_error() - error of the interface, a negative errno; 0 while it works */
int wpan_air_error(const struct air *air);

/* The low 16 bits of the interface's extended address, as default short address. */
uint16_t wpan_air_address(const struct air *air);

#endif /* QS1_WPAN_AIR_H */
