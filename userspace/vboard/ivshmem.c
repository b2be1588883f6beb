// SPDX-License-Identifier: GPL-2.0-only
#include "ivshmem.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report.h"
#include "sock.h"

#define PROTOCOL_VERSION 0

/* One message: a little-endian 64-bit number, and perhaps a descriptor. */
static int send_message(int sock, int64_t value, int fd)
{
	int64_t le = (int64_t)htole64((uint64_t)value);
	struct iovec iov = { .iov_base = &le, .iov_len = sizeof(le) };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.space);
		cmsg = CMSG_FIRSTHDR(&message);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	return sendmsg(sock, &message, MSG_NOSIGNAL) == sizeof(le) ? 0 : -EPIPE;
}

static void forget_guest(struct ivshmem *server)
{
	for (int i = 0; i < (int)QS1_VHW_VECTORS; i++) {
		if (server->guest_fd[i] >= 0)
			close(server->guest_fd[i]);
		server->guest_fd[i] = -1;
	}
	if (server->guest.fd < 0)
		return;
	loop_remove(server->loop, &server->guest);
	close(server->guest.fd);
	server->guest.fd = -1;
}

/* A client never sends anything: readable means gone. */
static void guest_ready(void *ctx, uint32_t events)
{
	(void)events;
	report("the guest has left");
	forget_guest(ctx);
}

/*
 * Version, the guest's number, the memory, then for each peer, the guest
 * itself last, its number with one descriptor a vector.
 */
static int introduce(struct ivshmem *server, int sock)
{
	int ret = send_message(sock, PROTOCOL_VERSION, -1);

	if (!ret)
		ret = send_message(sock, IVSHMEM_GUEST, -1);
	if (!ret)
		ret = send_message(sock, -1, server->memory_fd);
	for (int i = 0; i < (int)QS1_VHW_VECTORS && !ret; i++)
		ret = send_message(sock, IVSHMEM_SELF, server->own[i].watch.fd);
	for (int i = 0; i < (int)QS1_VHW_VECTORS && !ret; i++)
		ret = send_message(sock, IVSHMEM_GUEST, server->guest_fd[i]);
	return ret;
}

static void accept_guest(void *ctx, uint32_t events)
{
	struct ivshmem *server = ctx;
	int sock = accept4(server->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (sock < 0)
		return;
	if (server->guest.fd >= 0) {
		report("%s: refused a second guest", server->path);
		close(sock);
		return;
	}
	for (int i = 0; i < (int)QS1_VHW_VECTORS; i++) {
		server->guest_fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (server->guest_fd[i] < 0) {
			report("eventfd: %s", strerror(errno));
			forget_guest(server);
			close(sock);
			return;
		}
	}
	server->guest.fd = sock;
	if (loop_add(server->loop, &server->guest, EPOLLIN) || introduce(server, sock)) {
		report("%s: the guest disconnected during the handshake", server->path);
		forget_guest(server);
	}
}

static void rung(void *ctx, uint32_t events)
{
	struct ivshmem_vector *vector = ctx;
	struct ivshmem *server = vector->server;
	uint64_t count;

	(void)events;
	if (read(vector->watch.fd, &count, sizeof(count)) == sizeof(count))
		server->doorbell(server->ctx, (unsigned int)(vector - server->own));
}

int ivshmem_open(struct ivshmem *server, struct loop *loop, const char *path, int memory_fd,
		 void (*doorbell)(void *ctx, unsigned int vector), void *ctx, char *err,
		 size_t size)
{
	int ret = 0;

	*server = (struct ivshmem){
		.loop = loop,
		.path = path,
		.memory_fd = memory_fd,
		.doorbell = doorbell,
		.ctx = ctx,
		.listener = { .fd = -1, .ready = accept_guest, .ctx = server },
		.guest = { .fd = -1, .ready = guest_ready, .ctx = server },
	};
	for (int i = 0; i < (int)QS1_VHW_VECTORS; i++) {
		server->guest_fd[i] = -1;
		server->own[i] = (struct ivshmem_vector){
			.server = server,
			.watch = { .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
				   .ready = rung,
				   .ctx = &server->own[i] },
		};
		if (!ret)
			ret = loop_add(loop, &server->own[i].watch, EPOLLIN);
	}
	server->listener.fd = sock_listen(path);
	if (server->listener.fd < 0)
		ret = server->listener.fd;
	if (!ret)
		ret = loop_add(loop, &server->listener, EPOLLIN);
	if (ret)
		snprintf(err, size, "ivshmem socket %s: %s", path, strerror(-ret));
	return ret;
}

void ivshmem_close(struct ivshmem *server)
{
	forget_guest(server);
	for (int i = 0; i < (int)QS1_VHW_VECTORS; i++)
		close(server->own[i].watch.fd);
	if (server->listener.fd >= 0) {
		close(server->listener.fd);
		unlink(server->path);
	}
}

bool ivshmem_connected(const struct ivshmem *server)
{
	return server->guest.fd >= 0;
}

void ivshmem_ring(struct ivshmem *server, unsigned int vector)
{
	const uint64_t one = 1;
	ssize_t written;

	if (server->guest_fd[vector] < 0)
		return;
	/* It fails only when the counter is full, and then it is ringing already. */
	written = write(server->guest_fd[vector], &one, sizeof(one));
	(void)written;
}
