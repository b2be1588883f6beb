/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sysfs attributes: short texts in files. An attribute that is read often is
 * opened once and read again from its start.
 */
#ifndef QS1_SYSFS_H
#define QS1_SYSFS_H

#include <stddef.h>
#include <stdint.h>

#define SYSFS_SIZE 4096 /* largest attribute */

/**
 * sysfs_open() - open an attribute for reading
 * @dir: descriptor of its folder
 *
 * Return: a descriptor or a negative errno.
 */
int sysfs_open(int dir, const char *name);

/**
 * sysfs_read() - the whole attribute, without the newline at its end
 * @fd: of sysfs_open()
 * @buf: NUL terminated on success
 *
 * Return: length, or a negative errno; -ENODEV when the device is gone.
 */
int sysfs_read(int fd, char *buf, size_t size);

/* Open, read and close in one. */
int sysfs_read_at(int dir, const char *name, char *buf, size_t size);

/**
 * sysfs_write_at() - write an attribute
 *
 * Return: 0 or a negative errno, which may be the driver's refusal.
 */
int sysfs_write_at(int dir, const char *name, const char *text);

/**
 * sysfs_int() - a whole number from text, decimal or 0x hexadecimal
 *
 * Return: 0; -EINVAL for any other text, -ERANGE when it does not fit.
 */
int sysfs_int(const char *text, int64_t *ret_value);

/**
 * sysfs_double() - a number from text
 *
 * Return: 0, or -EINVAL for any other text or a value that is not finite.
 */
int sysfs_double(const char *text, double *ret_value);

#endif /* QS1_SYSFS_H */
