/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are replaced as a whole. */
#ifndef QS1_FILE_H
#define QS1_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * file_sync_folder() - fsync the directory of a file, so that the name survives a crash
 *
 * Return: 0 or a negative errno.
 */
int file_sync_folder(const char *path);

/**
 * file_write_all() - write all bytes at an offset
 *
 * Return: 0 or a negative errno.
 */
int file_write_all(int fd, const char *buf, size_t n, off_t at);

/**
 * file_replace() - replace a file as a whole, or create it
 * @mode: permissions, whatever the umask
 * @sync: fsync it and its directory, so that it survives a crash
 *
 * Return: 0 or a negative errno; then the old file stands.
 */
int file_replace(const char *path, const char *text, size_t n, mode_t mode, bool sync);

#endif /* QS1_FILE_H */
