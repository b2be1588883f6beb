/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings of a Linux wpan interface: generic netlink family nl802154, and its flags. */
#ifndef QS1_WPAN_NL802154_H
#define QS1_WPAN_NL802154_H

#include <stdint.h>

/**
 * nl802154_set() - channel, PAN and short address
 * @ifindex: the interface, which is down meanwhile and up afterwards
 * @channel: 11 to 26, of page 0
 *
 * Needs CAP_NET_ADMIN. Return: 0 or a negative errno: -ENODEV without the interface or without
 * mac802154.
 */
int nl802154_set(int ifindex, const char *name, uint8_t channel, uint16_t pan, uint16_t address);

#endif /* QS1_WPAN_NL802154_H */
