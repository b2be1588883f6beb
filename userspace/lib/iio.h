/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IIO devices by name, and channels by type and label: the numbers in
 * "iio:device3" and "in_voltage7" depend on the order of probing.
 */
#ifndef QS1_IIO_H
#define QS1_IIO_H

#include <stddef.h>

#define QS1_SYSFS_ROOT "/sys"

/**
 * iio_find() - folder of an IIO device
 * @root: where sysfs is mounted
 * @name: content of the device's "name"
 * @ret_path: its real path, at least PATH_MAX bytes, untouched on failure
 *
 * Return: 0; -ENODEV when there is none by that name.
 */
int iio_find(const char *root, const char *name, char *ret_path);

/**
 * iio_open_parent() - the device with an attribute: this one, or an ancestor
 * @device: path of its folder
 * @attribute: looked for
 *
 * Return: a descriptor of the folder, O_PATH; -ENODEV when there is none.
 */
int iio_open_parent(const char *device, const char *attribute);

/**
 * struct iio_channel - one channel that is read often
 * @fd: its value, processed or raw
 * @scale: factor; 1 for a processed value
 * @offset: added before scaling
 */
struct iio_channel {
	int fd;
	double scale;
	double offset;
};

#define IIO_CHANNEL_CLOSED ((struct iio_channel){ .fd = -1 })

/**
 * iio_channel_open() - find a channel and open its value
 * @dir: descriptor of the device's folder
 * @type: "voltage", "current", "power", "energy", "temp", ...
 * @label: content of its label
 * @quantity: NULL for the channel's value; or the text after its number, such
 *            as "frequency"
 * @ret_channel: untouched on failure
 *
 * Return: 0; -ENOENT when there is no such channel.
 */
int iio_channel_open(int dir, const char *type, const char *label, const char *quantity,
		     struct iio_channel *ret_channel);

/**
 * iio_channel_read() - the value in the unit of the kernel's IIO ABI
 * @ret_value: mV, mA, mW, J, m degree C, Hz; untouched on failure
 *
 * Return: 0 or a negative errno.
 */
int iio_channel_read(const struct iio_channel *channel, double *ret_value);

void iio_channel_close(struct iio_channel *channel);

#endif /* QS1_IIO_H */
