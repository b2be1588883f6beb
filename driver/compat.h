/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernel versions, all in one place.
 */
#ifndef QS1_COMPAT_H
#define QS1_COMPAT_H

#include <linux/types.h>
#include <linux/version.h>

/* Symbol namespaces became strings in 6.13. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define QS1_NS "QS1"
#else
#define QS1_NS QS1
#endif

/* Callbacks of binary attributes take a constant one since 6.16. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define QS1_BIN_CONST const
#else
#define QS1_BIN_CONST
#endif

/* Attributes of an IIO buffer became struct iio_dev_attr in 6.2, and got their macro. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define QS1_BUFFER_ATTR_TYPE const struct iio_dev_attr
#define QS1_BUFFER_ATTR(_name) (&iio_dev_attr_##_name)
#else
#define QS1_BUFFER_ATTR_TYPE const struct attribute
#define QS1_BUFFER_ATTR(_name) (&iio_dev_attr_##_name.dev_attr.attr)
#define IIO_STATIC_CONST_DEVICE_ATTR(_name, _string)                                               \
	static ssize_t _name##_show(struct device *dev, struct device_attribute *attr, char *buf)  \
	{                                                                                          \
		return sysfs_emit(buf, "%s\n", _string);                                           \
	}                                                                                          \
	static IIO_DEVICE_ATTR_RO(_name, 0)
#endif

/* gpio_chip.set returns an error since 6.17; _fn never fails. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define QS1_GPIO_SET(_name, _fn)                                                                   \
	static int _name(struct gpio_chip *gc, unsigned int line, int value)                       \
	{                                                                                          \
		_fn(gc, line, value);                                                              \
		return 0;                                                                          \
	}
#else
#define QS1_GPIO_SET(_name, _fn)                                                                   \
	static void _name(struct gpio_chip *gc, unsigned int line, int value)                      \
	{                                                                                          \
		_fn(gc, line, value);                                                              \
	}
#endif

/*
 * A PWM chip comes with its driver's structure behind it since 6.9; the operations named their
 * module before 6.8. Include linux/pwm.h before this file to get these.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define QS1_PWM_OWNER
#else
#define QS1_PWM_OWNER .owner = THIS_MODULE,
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0) && defined(__LINUX_PWM_H)
static inline void *pwmchip_get_drvdata(struct pwm_chip *chip)
{
	return chip + 1;
}

static inline struct pwm_chip *devm_pwmchip_alloc(struct device *dev, unsigned int npwm,
						  size_t sizeof_priv)
{
	struct pwm_chip *chip = devm_kzalloc(dev, sizeof(*chip) + sizeof_priv, GFP_KERNEL);

	if (!chip)
		return ERR_PTR(-ENOMEM);
	chip->dev = dev;
	chip->npwm = npwm;
	return chip;
}
#endif

/* Events have labels since 6.7. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#define QS1_EVENT_LABEL(_fn) .read_event_label = (_fn),
#else
#define QS1_EVENT_LABEL(_fn)
#endif

/* The table of hwmon channels holds constant pointers since 6.4. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define QS1_HWMON_INFO(_channels) (_channels)
#else
#define QS1_HWMON_INFO(_channels) ((const struct hwmon_channel_info **)(_channels))
#endif

/*
 * Thermal zones without trip points have a function of their own since 6.9, and their private data
 * one since 6.4. Include linux/thermal.h before this file to get these.
 */
#ifdef __THERMAL_H__
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#define thermal_tripless_zone_device_register(_type, _priv, _ops, _params)                         \
	thermal_zone_device_register(_type, 0, 0, _priv, (struct thermal_zone_device_ops *)(_ops), \
				     (struct thermal_zone_params *)(_params), 0, 0)
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define thermal_zone_device_priv(_zone) ((_zone)->devdata)
#endif
#endif

/* struct iio_info.write_event_config takes a bool from 6.13 on. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
typedef bool qs1_event_state_t;
#else
typedef int qs1_event_state_t;
#endif

#endif /* QS1_COMPAT_H */
