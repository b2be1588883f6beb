// SPDX-License-Identifier: GPL-2.0-only
#include "wpan_air.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bytes.h"
#include "clock.h"
#include "crc16.h"
#include "nl802154.h"

/**
 * struct air - see air.h
 * @applied: the interface has @config
 * @sent: the owner has not heard what became of its frame: @result
 */
struct air {
	char name[IF_NAMESIZE];
	int ifindex;
	int fd;
	int error;
	uint16_t address;
	struct air_radio_config config;
	bool applied;
	const struct air_ops *ops;
	void *ctx;
	uint64_t alarm_us[AIR_ALARMS];
	bool sent;
	enum air_result result;
};

static int open_socket(struct air *air, char *err, size_t size)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq request = { 0 };

	air->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (air->fd < 0) {
		snprintf(err, size, "packet socket: %s", strerror(errno));
		return -errno;
	}
	strcpy(request.ifr_name, air->name);
	if (ioctl(air->fd, SIOCGIFHWADDR, &request) < 0) {
		snprintf(err, size, "%s: %s", air->name, strerror(errno));
		return -errno;
	}
	if (request.ifr_hwaddr.sa_family != ARPHRD_IEEE802154) {
		snprintf(err, size,
			 "%s: expected an interface of IEEE 802.15.4 (type %d), found type %d",
			 air->name, ARPHRD_IEEE802154, request.ifr_hwaddr.sa_family);
		return -EINVAL;
	}
	/* Most significant byte first. */
	air->address = (uint16_t)bytes_get_be((const uint8_t *)request.ifr_hwaddr.sa_data + 6, 2);
	address.sll_ifindex = air->ifindex;
	if (bind(air->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		snprintf(err, size, "%s: %s", air->name, strerror(errno));
		return -errno;
	}
	return 0;
}

struct air *wpan_air_new(const char *interface, char *err, size_t size)
{
	struct air *air = calloc(1, sizeof(*air));

	if (!air) {
		snprintf(err, size, "%s", strerror(ENOMEM));
		return NULL;
	}
	*air = (struct air){ .fd = -1, .alarm_us = { AIR_NEVER, AIR_NEVER } };
	air->ifindex = (int)if_nametoindex(interface);
	if (!air->ifindex) {
		snprintf(err, size, "%s: no such interface", interface);
	} else {
		snprintf(air->name, sizeof(air->name), "%s", interface);
		if (open_socket(air, err, size) == 0) {
			return air;
		}
	}
	air_free(air);
	return NULL;
}

void air_free(struct air *air)
{
	if (!air) {
		return;
	}
	if (air->fd >= 0) {
		close(air->fd);
	}
	free(air);
}

int wpan_air_fd(const struct air *air)
{
	return air->fd;
}

int wpan_air_error(const struct air *air)
{
	return air->error;
}

uint16_t wpan_air_address(const struct air *air)
{
	return air->address;
}

int air_add(struct air *air, const struct air_radio_config *config, const struct air_ops *ops,
	    void *ctx)
{
	air->config = *config;
	air->config.off = true;
	air->ops = ops;
	air->ctx = ctx;
	return 0;
}

void air_configure(struct air *air, int radio, const struct air_radio_config *config)
{
	bool same = air->applied && config->channel == air->config.channel &&
		    config->pan == air->config.pan && config->address == air->config.address;

	(void)radio;
	air->config = *config;
	if (config->off || same || air->error) {
		return;
	}
	air->error = nl802154_set(air->ifindex, air->name, config->channel, config->pan,
				  config->address);
	air->applied = air->error == 0;
}

const struct air_radio_config *air_configuration(const struct air *air, int radio)
{
	(void)radio;
	return &air->config;
}

int air_send(struct air *air, int radio, const uint8_t *frame, size_t n)
{
	(void)radio;
	if (n <= MAC_FCS_BYTES || n > MAC_FRAME_MAX) {
		return -EINVAL;
	}
	if (air->config.off) {
		return -ENETDOWN;
	}
	if (air->sent) {
		return -EBUSY;
	}
	air->sent = true;
	air->result = send(air->fd, frame, n - MAC_FCS_BYTES, 0) < 0 ? AIR_BUSY : AIR_SENT;
	return 0;
}

void air_alarm(struct air *air, int radio, int alarm, uint64_t due_us)
{
	(void)radio;
	air->alarm_us[alarm] = due_us;
}

uint64_t air_now(const struct air *air)
{
	(void)air;
	return (uint64_t)clock_us(CLOCK_MONOTONIC);
}

uint64_t air_next(const struct air *air)
{
	uint64_t next = air->sent ? 0 : AIR_NEVER;

	for (int i = 0; i < AIR_ALARMS; i++) {
		next = air->alarm_us[i] < next ? air->alarm_us[i] : next;
	}
	return next;
}

void air_run(struct air *air, uint64_t until_us)
{
	while (air_next(air) <= until_us) {
		if (air->sent) {
			air->sent = false;
			air->ops->sent(air->ctx, until_us, air->result);
		}
		for (int i = 0; i < AIR_ALARMS; i++) {
			if (air->alarm_us[i] <= until_us) {
				air->alarm_us[i] = AIR_NEVER;
				air->ops->alarm(air->ctx, until_us, i);
			}
		}
	}
}

/* As the simulated air: frames for others are not delivered. */
static bool is_for_us(const struct air *air, const uint8_t *frame, size_t n)
{
	struct mac_frame mac;

	if (mac_parse(frame, n, &mac) < 0) {
		return false;
	}
	if (mac.dst.mode == MAC_MODE_NONE) {
		return mac.type == MAC_BEACON;
	}
	return (mac.dst.pan == MAC_BROADCAST || mac.dst.pan == air->config.pan) &&
	       (mac.dst.mode == MAC_MODE_LONG ? mac.dst.address == air->config.ieee
					      : mac.dst.address == MAC_BROADCAST ||
							mac.dst.address == air->config.address);
}

void wpan_air_receive(struct air *air)
{
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	uint8_t frame[MAC_FRAME_MAX];
	ssize_t n;

	while ((n = recvfrom(air->fd, frame, sizeof(frame) - MAC_FCS_BYTES, MSG_TRUNC,
			     (struct sockaddr *)&from, &size)) >= 0) {
		size_t length = (size_t)n;

		size = sizeof(from);
		/* Our own frames come back, too. */
		if (from.sll_pkttype == PACKET_OUTGOING || air->config.off ||
		    length > sizeof(frame) - MAC_FCS_BYTES) {
			continue;
		}
		bytes_put_le(frame + length, MAC_FCS_BYTES, crc16_reflected(0, frame, length));
		length += MAC_FCS_BYTES;
		if (is_for_us(air, frame, length)) {
			air->ops->received(air->ctx, air_now(air), frame, length, WPAN_LEVEL_DBM);
		}
	}
	/* An interface that is down, as for new settings, is no failure; one that was removed is.
	 */
	if (errno != EAGAIN && errno != ENETDOWN && errno != EINTR) {
		air->error = -errno;
	}
}
