// SPDX-License-Identifier: GPL-2.0-or-later
#include "labels.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/util.h"

#define PROGRAM "qs1-scan"
#define INSTALLED "/usr/lib/qs1/" PROGRAM
#define LINE_SIZE 320
/* Exit status of qs1-scan for what is no picture. */
#define EXIT_NO_PICTURE 1

/* The program beside ours, in a build; otherwise where it is installed. */
static const char *find_program(char path[PATH_MAX])
{
	const char *own = (const char *)getauxval(AT_EXECFN);
	const char *slash = own ? strrchr(own, '/') : NULL;

	if (slash) {
		snprintf(path, PATH_MAX, "%.*s/" PROGRAM, (int)(slash - own), own);
		if (access(path, X_OK) == 0) {
			return path;
		}
	}
	return INSTALLED;
}

/* The picture as a file: the program may read as slowly as it likes. */
static int make_input(const void *jpeg, size_t n)
{
	int fd = memfd_create("photo", MFD_CLOEXEC);

	if (fd < 0) {
		return -errno;
	}
	if (write(fd, jpeg, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

static int start(int input, int output, pid_t *ret_pid)
{
	char path[PATH_MAX];
	const char *program = find_program(path);
	char *const argv[] = { (char *)PROGRAM, NULL };
	char *const envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	int ret;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	ret = posix_spawn(ret_pid, program, &actions, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	return ret == ENOENT ? -EOPNOTSUPP : -ret;
}

/* One "SYMBOLOGY TEXT" a line. */
static int take_lines(FILE *file, labels_fn take, void *ctx)
{
	char line[LINE_SIZE];
	int ret = 0;

	while (ret == 0 && fgets(line, sizeof(line), file)) {
		char *text = strchr(line, ' ');

		line[strcspn(line, "\n")] = '\0';
		if (text) {
			*text = '\0';
			ret = take(ctx, line, text + 1);
		}
	}
	return ret;
}

static int finish(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return -errno;
		}
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		return 0;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_PICTURE ? -EBADMSG : -EIO;
}

static int run(int input, labels_fn take, void *ctx)
{
	FILE *file __cleanup(close_file) = NULL;
	int output[2];
	pid_t pid;
	int ret, end;

	if (pipe2(output, O_CLOEXEC) < 0) {
		return -errno;
	}
	ret = start(input, output[1], &pid);
	close(output[1]);
	file = fdopen(output[0], "r");
	if (ret < 0 || !file) {
		return ret < 0 ? ret : -errno;
	}
	ret = take_lines(file, take, ctx);
	end = finish(pid);
	return ret ? ret : end;
}

int labels_scan(const void *jpeg, size_t n, labels_fn take, void *ctx, char *err, size_t size)
{
	int input __cleanup(close_fd) = make_input(jpeg, n);
	int ret = input < 0 ? input : run(input, take, ctx);

	if (ret == -EBADMSG) {
		snprintf(err, size, "photo: expected a JPEG picture of at most 16 MiB");
	} else if (ret == -EOPNOTSUPP) {
		snprintf(err, size, "photo: " PROGRAM " is not installed");
	} else if (ret < 0) {
		snprintf(err, size, "photo: " PROGRAM ": %s", strerror(-ret));
	}
	return ret;
}
