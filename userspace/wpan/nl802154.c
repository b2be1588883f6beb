// SPDX-License-Identifier: GPL-2.0-only
#include "nl802154.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Linux: include/net/nl802154.h, which is no header for programs. */
#define FAMILY_NAME "nl802154"
enum { CMD_GET_INTERFACE = 5, CMD_SET_CHANNEL = 9, CMD_SET_PAN_ID = 10, CMD_SET_SHORT_ADDR = 11 };
enum {
	ATTR_WPAN_PHY = 1,
	ATTR_IFINDEX = 3,
	ATTR_PAGE = 7,
	ATTR_CHANNEL = 8,
	ATTR_PAN_ID = 9,
	ATTR_SHORT_ADDR = 10
};

#define MESSAGE_MAX 2048

/* A request, and then its answer. */
struct message {
	union {
		struct nlmsghdr head;
		uint8_t byte[MESSAGE_MAX];
	};
};

static void begin(struct message *m, uint16_t type, uint8_t command)
{
	struct genlmsghdr *generic = (struct genlmsghdr *)(m->byte + NLMSG_HDRLEN);

	memset(m, 0, NLMSG_LENGTH(sizeof(*generic)));
	m->head.nlmsg_len = NLMSG_LENGTH(sizeof(*generic));
	m->head.nlmsg_type = type;
	m->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	generic->cmd = command;
	generic->version = 1;
}

static void add(struct message *m, uint16_t type, const void *value, size_t n)
{
	struct nlattr *attr = (struct nlattr *)(m->byte + NLMSG_ALIGN(m->head.nlmsg_len));

	attr->nla_type = type;
	attr->nla_len = (uint16_t)(NLA_HDRLEN + n);
	memset((uint8_t *)attr + NLA_HDRLEN, 0, NLA_ALIGN(n));
	memcpy((uint8_t *)attr + NLA_HDRLEN, value, n);
	m->head.nlmsg_len = NLMSG_ALIGN(m->head.nlmsg_len) + (uint32_t)(NLA_HDRLEN + NLA_ALIGN(n));
}

/* An attribute of an answer. Return: 0, or -ENODATA without it. */
static int find(const struct message *m, size_t n, uint16_t type, void *ret, size_t size)
{
	size_t at = NLMSG_LENGTH(sizeof(struct genlmsghdr));

	while (at + NLA_HDRLEN <= n) {
		struct nlattr attr;

		memcpy(&attr, m->byte + at, sizeof(attr));
		if (attr.nla_len < NLA_HDRLEN || at + attr.nla_len > n) {
			break;
		}
		if ((attr.nla_type & NLA_TYPE_MASK) == type && attr.nla_len == NLA_HDRLEN + size) {
			memcpy(ret, m->byte + at + NLA_HDRLEN, size);
			return 0;
		}
		at += NLA_ALIGN(attr.nla_len);
	}
	return -ENODATA;
}

/*
 * Send a request and take its answer. @type, @ret, @size: an attribute that the answer has, or
 * none.
 */
static int ask(int fd, struct message *m, uint16_t type, void *ret, size_t size)
{
	int result = ret ? -ENODATA : 0;

	if (send(fd, m, m->head.nlmsg_len, 0) < 0) {
		return -errno;
	}
	for (;;) {
		ssize_t n = recv(fd, m, sizeof(*m), 0);
		struct nlmsgerr error;

		if (n < 0) {
			return -errno;
		}
		if (n < NLMSG_HDRLEN || (size_t)n < m->head.nlmsg_len) {
			return -EPROTO;
		}
		if (m->head.nlmsg_type == NLMSG_ERROR) {
			if ((size_t)n < NLMSG_LENGTH(sizeof(error))) {
				return -EPROTO;
			}
			memcpy(&error, m->byte + NLMSG_HDRLEN, sizeof(error));
			return error.error ? error.error : result;
		}
		if (ret) {
			result = find(m, m->head.nlmsg_len, type, ret, size);
		}
	}
}

static int set(int fd, uint16_t family, uint8_t command, uint16_t target, uint32_t index,
	       uint16_t attr, const void *value, size_t n)
{
	struct message m;
	const uint8_t page = 0;

	begin(&m, family, command);
	add(&m, target, &index, sizeof(index));
	if (command == CMD_SET_CHANNEL) {
		add(&m, ATTR_PAGE, &page, sizeof(page));
	}
	add(&m, attr, value, n);
	return ask(fd, &m, 0, NULL, 0);
}

static int configure(int fd, uint32_t ifindex, uint8_t channel, uint16_t pan, uint16_t address)
{
	uint16_t family;
	uint32_t phy;
	struct message m;
	int ret;

	begin(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	add(&m, CTRL_ATTR_FAMILY_NAME, FAMILY_NAME, sizeof(FAMILY_NAME));
	ret = ask(fd, &m, CTRL_ATTR_FAMILY_ID, &family, sizeof(family));
	if (ret < 0) {
		return ret == -ENOENT ? -ENODEV : ret;
	}
	begin(&m, family, CMD_GET_INTERFACE);
	add(&m, ATTR_IFINDEX, &ifindex, sizeof(ifindex));
	ret = ask(fd, &m, ATTR_WPAN_PHY, &phy, sizeof(phy));
	if (ret == 0) {
		ret = set(fd, family, CMD_SET_CHANNEL, ATTR_WPAN_PHY, phy, ATTR_CHANNEL, &channel,
			  sizeof(channel));
	}
	if (ret == 0) {
		ret = set(fd, family, CMD_SET_PAN_ID, ATTR_IFINDEX, ifindex, ATTR_PAN_ID, &pan,
			  sizeof(pan));
	}
	if (ret == 0) {
		ret = set(fd, family, CMD_SET_SHORT_ADDR, ATTR_IFINDEX, ifindex, ATTR_SHORT_ADDR,
			  &address, sizeof(address));
	}
	return ret;
}

static int set_up(int fd, const char *name, int on)
{
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) {
		return -errno;
	}
	request.ifr_flags = (short)(on ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
	return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

int nl802154_set(int ifindex, const char *name, uint8_t channel, uint16_t pan, uint16_t address)
{
	const struct timeval timeout = { .tv_sec = 2 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	int ret;

	if (fd < 0) {
		return -errno;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	/* The kernel sets PAN and address only while the interface is down. */
	ret = set_up(fd, name, 0);
	if (ret == 0) {
		ret = configure(fd, (uint32_t)ifindex, channel, pan, address);
	}
	if (ret == 0) {
		ret = set_up(fd, name, 1);
	}
	close(fd);
	return ret;
}
