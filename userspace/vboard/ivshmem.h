/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Server of QEMU's ivshmem protocol, docs/specs/ivshmem-spec.rst in QEMU,
 * "Client-Server protocol". This process is peer 0; it sends and gets
 * doorbells like any other peer. It serves one guest, which is peer 1.
 */
#ifndef QS1_VBOARD_IVSHMEM_H
#define QS1_VBOARD_IVSHMEM_H

#include <stdbool.h>
#include <stddef.h>

#include <qs1/vhw.h>

#include "loop.h"

#define IVSHMEM_SELF 0
#define IVSHMEM_GUEST 1

struct ivshmem;

struct ivshmem_vector {
	struct ivshmem *server;
	struct watch watch;
};

/**
 * struct ivshmem - the server
 * @doorbell: called when the guest rings, with the vector
 * @ctx: handed to @doorbell
 * @own: doorbells of peer 0
 * @guest_fd: doorbells of peer 1, -1 while there is no guest
 */
struct ivshmem {
	struct loop *loop;
	const char *path;
	int memory_fd;
	void (*doorbell)(void *ctx, unsigned int vector);
	void *ctx;
	struct watch listener;
	struct watch guest;
	struct ivshmem_vector own[QS1_VHW_VECTORS];
	int guest_fd[QS1_VHW_VECTORS];
};

/**
 * ivshmem_open() - listen for the guest
 * @err: on failure the reason
 *
 * Return: 0 or a negative errno.
 */
int ivshmem_open(struct ivshmem *server, struct loop *loop, const char *path, int memory_fd,
		 void (*doorbell)(void *ctx, unsigned int vector), void *ctx, char *err,
		 size_t size);
void ivshmem_close(struct ivshmem *server);

bool ivshmem_connected(const struct ivshmem *server);

/* Raise an MSI-X vector in the guest, if there is one. */
void ivshmem_ring(struct ivshmem *server, unsigned int vector);

#endif /* QS1_VBOARD_IVSHMEM_H */
