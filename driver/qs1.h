/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the bus-independent core of the qs1 driver offers to its children
 * (IIO, GPIO, PWM) and to the glue that maps the memory and rings the doorbell.
 */
#ifndef QS1_H
#define QS1_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pm.h>
#include <linux/remoteproc.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <qs1/abi.h>

#include "compat.h"

struct qs1;
struct qs1_trip;

/**
 * struct qs1_ops - what the glue does for the core
 * @ring: interrupt the firmware, which then reads the mailbox; may be called in any context
 * @provider: the glue is the coprocessor's driver, and asks qs1_keeps_running()
 *            before it stops it; otherwise devm_qs1_client() holds it
 */
struct qs1_ops {
	void (*ring)(struct qs1 *qs1);
	bool provider;
};

/**
 * struct qs1_firmware - facts about the running firmware, checked at its start
 * @version: printable, NUL terminated
 * @control_hz: control periods, and scans, in a second
 * @wave_log2: scans in the waveform ring, as a power of two
 */
struct qs1_firmware {
	char version[sizeof_field(struct qs1_fw_info, version) + 1];
	u32 control_hz;
	u32 wave_log2;
};

/**
 * struct qs1_answer - the mailbox's last exchange
 * @op: enum qs1_op
 * @arg: its operand
 * @result: enum qs1_result
 * @value: see enum qs1_result
 */
struct qs1_answer {
	u32 op;
	u32 arg;
	u32 result;
	s32 value;
};

/**
 * struct qs1_health - state and faults, whose changes are notified
 * @status: QS1_STATUS_RINGS of the telemetry's status
 * @faults_active: QS1_FAULT_BIT() of causes present
 * @faults_latched: QS1_FAULT_BIT() of faults that keep the unit off
 */
struct qs1_health {
	u32 status;
	u32 faults_active;
	u32 faults_latched;
};

/**
 * struct qs1_health_change - data of QS1_NOTIFY_HEALTH
 * @old: before; all 0 for a firmware that has just started
 * @now: after
 */
struct qs1_health_change {
	struct qs1_health old;
	struct qs1_health now;
};

/* Bits of struct qs1.flags. */
#define QS1_FLAG_RUNNING 0  /* handshake done, not stopped or crashed since */
#define QS1_FLAG_CRASHED 1  /* found dead since it was last in reset */
#define QS1_FLAG_LEAVING 2  /* driver is being unbound: no further recovery */
#define QS1_FLAG_ARMED 3    /* host has permitted production, and not taken it back */
#define QS1_FLAG_BENCH 4    /* host has asked for bench mode, and not left it */
#define QS1_FLAG_KEPT 5	    /* the stop under way will be refused */
#define QS1_FLAG_ASLEEP 6   /* system sleeps: firmware is off and must not start */
#define QS1_FLAG_STOPPING 7 /* the stop under way is the driver's own */
#define QS1_FLAG_WANTED 8   /* firmware is to run */

/* With one of these the power stage may run. */
#define QS1_FLAGS_PERMITTED (BIT(QS1_FLAG_ARMED) | BIT(QS1_FLAG_BENCH))

/* Actions on struct qs1.notifier; all are called where sleeping is allowed. */
enum qs1_notification {
	QS1_NOTIFY_STARTED,  /* firmware runs, everything it wrote before is gone */
	QS1_NOTIFY_STOPPED,  /* firmware stopped or crashed; its memory is as it left it */
	QS1_NOTIFY_DOORBELL, /* firmware rang: look at the ring */
	QS1_NOTIFY_HEALTH,   /* data is struct qs1_health_change */
};

/**
 * struct qs1_life - starts and stops the firmware, see life.c
 * @work: brings the coprocessor into the state that is wanted
 * @lock: held while this driver starts or stops it
 * @request_lock: makes queueing @work, and QS1_FLAG_LEAVING that ends it, one step each; guards
 *                @retry_s
 * @retry_s: pause before the last try
 * @started: time of the last start, in jiffies
 */
struct qs1_life {
	struct delayed_work work;
	struct mutex lock;	 /* see above */
	spinlock_t request_lock; /* see above */
	unsigned int retry_s;
	unsigned long started;
};

/**
 * struct qs1 - one inverter, as the core sees it
 * @dev: parent device that carries the attributes
 * @rproc: the coprocessor
 * @helper: another remote processor that @rproc needs, started before it and stopped after it; or
 * NULL
 * @shm: the contract in shared memory
 * @size: bytes that may be used from @shm on
 * @ops: the glue
 * @priv: the glue's own
 * @flags: QS1_FLAG_*; those of QS1_FLAGS_PERMITTED change under @mailbox_lock
 * @fw: facts about the firmware, valid while it runs
 * @life: owner of its life
 * @subdev: reports starts, stops and crashes to the core
 * @notifier: reports to the children, see enum qs1_notification
 * @mailbox_lock: one command at a time; guards the members up to @answer
 * @command_seq: number of the last command
 * @answer: last exchange, for the command_result attribute
 * @reply_wait: woken by each doorbell
 * @news_lock: one doorbell at a time; guards @event_head and @health
 * @event_head: last event that was notified
 * @health: last health that was notified
 * @trip: records the waveform around a trip
 * @gpio_lock: guards @gpio_out
 * @gpio_out: levels of the outputs as they were set; the firmware may overwrite the memory
 * @heartbeat: last value written to the firmware
 * @crashes: crashes since the driver was bound
 * @wave_lost: scans that a reader of the stream has missed
 * @debugfs: directory
 * @registers: shown there
 * @id: distinguishes children of several inverters
 */
struct qs1 {
	struct device *dev;
	struct rproc *rproc;
	struct rproc *helper;
	struct qs1_shm __iomem *shm;
	size_t size;
	const struct qs1_ops *ops;
	void *priv;

	unsigned long flags;
	struct qs1_firmware fw;
	struct qs1_life life;
	struct rproc_subdev subdev;
	struct blocking_notifier_head notifier;

	struct mutex mailbox_lock; /* see above */
	u32 command_seq;
	struct qs1_answer answer;
	wait_queue_head_t reply_wait;

	struct mutex news_lock; /* see above */
	u32 event_head;
	struct qs1_health health;
	struct qs1_trip *trip;
	spinlock_t gpio_lock; /* see above */
	u32 gpio_out;
	atomic_t heartbeat;
	atomic_t crashes;
	atomic64_t wave_lost;
	struct dentry *debugfs;
	struct debugfs_regset32 registers;
	int id;
};

/**
 * qs1_running() - whether the firmware runs and has been accepted
 * @qs1: inverter
 *
 * The answer may be outdated when it arrives. That is harmless: the memory
 * stays mapped, and whatever is read from it is checked.
 *
 * Return: true if it does.
 */
static inline bool qs1_running(const struct qs1 *qs1)
{
	return test_bit_acquire(QS1_FLAG_RUNNING, &qs1->flags);
}

/* Whether the host has permitted the power stage to run. */
static inline bool qs1_permitted(const struct qs1 *qs1)
{
	return READ_ONCE(qs1->flags) & QS1_FLAGS_PERMITTED;
}

/* For the glue. */
struct qs1 *devm_qs1_alloc(struct device *dev, struct rproc *rproc, void __iomem *shm, size_t size,
			   const struct qs1_ops *ops, void *priv);
void __iomem *devm_qs1_map_memory_region(struct device *dev, size_t *ret_size);
int devm_qs1_follow(struct qs1 *qs1);
int devm_qs1_client(struct qs1 *qs1, const char *firmware);
int devm_qs1_add_children(struct qs1 *qs1);
void qs1_boot(struct qs1 *qs1);
bool qs1_keeps_running(struct qs1 *qs1);
irqreturn_t qs1_irq(int irq, void *qs1);
irqreturn_t qs1_irq_thread(int irq, void *qs1);
void qs1_report_crash(struct qs1 *qs1, enum rproc_crash_type type);
void qs1_quiesce(struct qs1 *qs1);
extern const struct attribute_group *qs1_groups[];
extern const struct dev_pm_ops qs1_pm_ops;

/* For the children. */
int devm_qs1_register_notifier(struct device *dev, struct qs1 *qs1, struct notifier_block *nb);
int qs1_command(struct qs1 *qs1, enum qs1_op op, u32 arg, s32 value, s32 *ret_value);
int qs1_telemetry_read(struct qs1 *qs1, size_t offset, void *buf, size_t size);
void qs1_set_outputs(struct qs1 *qs1, u32 mask, u32 levels);
s32 qs1_param_bounded(struct qs1 *qs1, enum qs1_param param);

/* Inside the core. */
int qs1_handshake(struct qs1 *qs1);
void qs1_news(struct qs1 *qs1);
int devm_qs1_life_init(struct qs1 *qs1);
int qs1_take_over(struct qs1 *qs1);
int qs1_sleep(struct qs1 *qs1);
void qs1_wake(struct qs1 *qs1);
int qs1_power_off(struct qs1 *qs1);
int qs1_refuse_value(struct qs1 *qs1, u32 param, s32 limit);
void qs1_mailbox_init(struct qs1 *qs1);
void qs1_mailbox_reset(struct qs1 *qs1);
void qs1_mailbox_attach(struct qs1 *qs1);
void qs1_mailbox_flush(struct qs1 *qs1);
void qs1_events_notify(struct qs1 *qs1);
void qs1_health_notify(struct qs1 *qs1);
int qs1_events_read(struct qs1 *qs1, struct qs1_event *events, u32 count);
int devm_qs1_event_log_init(struct qs1 *qs1);
int qs1_telemetry_u32(struct device *dev, size_t offset, u32 *ret);
int devm_qs1_trip_init(struct qs1 *qs1);
void qs1_trip_event(struct qs1 *qs1, const struct qs1_event *event);
void qs1_debugfs_init(struct qs1 *qs1);

const char *qs1_state_name(u32 state);
const char *qs1_fault_name(u32 fault);
const char *qs1_cause_name(u32 cause);
const char *qs1_crash_name(u32 reason);
int qs1_fault_find(const char *name);

/**
 * struct qs1_param_desc - one row of the parameter table
 * @name: unit is its last part
 * @decimals: a value is the integer divided by 10^decimals
 * @def: default
 * @min: smallest value
 * @max: largest value
 */
struct qs1_param_desc {
	const char *name;
	u8 decimals;
	s32 def;
	s32 min;
	s32 max;
};

extern const struct qs1_param_desc qs1_param_desc[QS1_PARAM_COUNT];
extern const struct attribute_group qs1_params_group;
extern const struct attribute_group qs1_params_min_group;
extern const struct attribute_group qs1_params_max_group;
extern const struct attribute_group qs1_params_default_group;

/* Attributes of the former release, sysfs-old.c. */
#ifdef CONFIG_QS1_OLD_ATTRIBUTES
extern const struct attribute_group qs1_old_group;
extern const struct attribute_group qs1_old_params_range_group;
ssize_t qs1_old_events(struct qs1 *qs1, char *buf);

static inline void qs1_old_notify(struct qs1 *qs1, const char *name)
{
	sysfs_notify(&qs1->dev->kobj, NULL, name);
}
#else
static inline void qs1_old_notify(struct qs1 *qs1, const char *name)
{
}
#endif

#endif /* QS1_H */
