/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helper programs: one process for each piece of work that decodes what a client has sent, or that
 * needs much memory for a short time. The program enters its sandbox (sandbox.h) before it reads.
 */
#ifndef QS1_HELPER_H
#define QS1_HELPER_H

#include <stddef.h>

/* Exit status of a helper for input that is wrong. */
#define HELPER_EXIT_INPUT 1
/* Longest output, bytes. */
#define HELPER_OUTPUT_MAX (16 * 1024 * 1024)

/**
 * helper_run() - run a helper, and wait for its end
 * @program: name of the program: beside ours in a build, otherwise in /usr/lib/qs1
 * @input: @n bytes for its standard input
 * @ret_output: what it has written, with a NUL behind it; to be freed, untouched on failure
 *
 * Return: 0; -EBADMSG when it has refused its input; -EOPNOTSUPP when it is not installed; -EIO
 * when it failed or wrote more than HELPER_OUTPUT_MAX; or a negative errno.
 */
int helper_run(const char *program, const void *input, size_t n, char **ret_output, size_t *ret_n);

#endif /* QS1_HELPER_H */
