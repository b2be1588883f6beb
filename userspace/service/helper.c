// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/util.h"

#define INSTALLED "/usr/lib/qs1"
#define CHUNK 65536

/* The program beside ours, in a build; otherwise where it is installed. */
static const char *find_program(const char *program, char path[PATH_MAX])
{
	const char *own = (const char *)getauxval(AT_EXECFN);
	const char *slash = own ? strrchr(own, '/') : NULL;

	if (slash) {
		snprintf(path, PATH_MAX, "%.*s/%s", (int)(slash - own), own, program);
		if (access(path, X_OK) == 0) {
			return path;
		}
	}
	snprintf(path, PATH_MAX, INSTALLED "/%s", program);
	return path;
}

/* Pass the input as a file, so that a program that reads slowly does not block us. */
static int make_input(const void *input, size_t n)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0) {
		return -errno;
	}
	if (write(fd, input, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

static int start(const char *program, int input, int output, pid_t *ret_pid)
{
	char path[PATH_MAX];
	char *const argv[] = { (char *)program, NULL };
	char *const envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	int ret;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	ret = posix_spawn(ret_pid, find_program(program, path), &actions, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	return ret == ENOENT ? -EOPNOTSUPP : -ret;
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
	return WIFEXITED(status) && WEXITSTATUS(status) == HELPER_EXIT_INPUT ? -EBADMSG : -EIO;
}

/* All that comes, with a NUL behind it. */
static int read_all(int fd, char **ret_output, size_t *ret_n)
{
	char *output = NULL;
	size_t n = 0;
	ssize_t got;

	do {
		char *more = n <= HELPER_OUTPUT_MAX ? realloc(output, n + CHUNK + 1) : NULL;

		if (!more) {
			free(output);
			return n > HELPER_OUTPUT_MAX ? -EIO : -ENOMEM;
		}
		output = more;
		got = read(fd, output + n, CHUNK);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0 || (got < 0 && errno == EINTR));
	output[n] = '\0';
	*ret_output = output;
	*ret_n = n;
	return 0;
}

int helper_run(const char *program, const void *input, size_t n, char **ret_output, size_t *ret_n)
{
	int from __cleanup(close_fd) = make_input(input, n);
	char *output __cleanup(free_ptr) = NULL;
	size_t output_n = 0;
	int pipe_fd[2];
	pid_t pid;
	int ret = from;
	int end;

	if (ret < 0 || pipe2(pipe_fd, O_CLOEXEC) < 0) {
		return ret < 0 ? ret : -errno;
	}
	ret = start(program, from, pipe_fd[1], &pid);
	close(pipe_fd[1]);
	if (ret < 0) {
		close(pipe_fd[0]);
		return ret;
	}
	ret = read_all(pipe_fd[0], &output, &output_n);
	close(pipe_fd[0]);
	end = finish(pid);
	ret = ret < 0 ? ret : end;
	if (ret == 0) {
		*ret_output = output;
		*ret_n = output_n;
		output = NULL;
	}
	return ret;
}
