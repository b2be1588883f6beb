/* SPDX-License-Identifier: GPL-2.0-only */
/* Unix sockets by path. All return a descriptor or a negative errno. */
#ifndef QS1_VBOARD_SOCK_H
#define QS1_VBOARD_SOCK_H

/**
 * sock_listen() - create a listening socket, non-blocking
 *
 * A socket file without a listening process is replaced.
 *
 * Return: -EADDRINUSE if another process listens there, -ENAMETOOLONG if the
 * path does not fit a socket address.
 */
int sock_listen(const char *path);

/* Connect, non-blocking from then on. */
int sock_connect(const char *path);

/* Process at the other end of a connection, or 0. */
int sock_peer_pid(int fd);

#endif /* QS1_VBOARD_SOCK_H */
