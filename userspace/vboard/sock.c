// SPDX-License-Identifier: GPL-2.0-only
#include "sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int address(struct sockaddr_un *un, const char *path)
{
	if (strlen(path) >= sizeof(un->sun_path))
		return -ENAMETOOLONG;
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, path);
	return 0;
}

int sock_connect(const char *path)
{
	struct sockaddr_un un;
	int fd, ret;

	ret = address(&un, path);
	if (ret)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) || fcntl(fd, F_SETFL, O_NONBLOCK)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

/* Removes a socket that a dead process left behind, and nothing else. */
static int remove_stale(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = sock_connect(path);
	if (fd >= 0) {
		close(fd);
		return -EADDRINUSE;
	}
	return unlink(path) ? -errno : 0;
}

int sock_listen(const char *path)
{
	struct sockaddr_un un;
	char unready[sizeof(un.sun_path) + 4];
	int fd, ret;

	/* Rename into place only after listen(), so that a client never finds a dead socket. */
	snprintf(unready, sizeof(unready), "%s.new", path);
	ret = address(&un, unready);
	if (ret)
		return ret;
	ret = remove_stale(path);
	if (ret)
		return ret;
	unlink(unready);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) || listen(fd, 8) ||
	    rename(unready, path)) {
		ret = -errno;
		close(fd);
		unlink(unready);
		return ret;
	}
	return fd;
}

int sock_peer_pid(int fd)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size))
		return 0;
	return cred.pid;
}
