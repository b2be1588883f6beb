// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands to the firmware and its replies.
 *
 * The host writes op, arg and value, then a new sequence number, and rings.
 * The firmware carries the command out between two control periods and writes
 * result and value, then the command's number. One command is outstanding.
 */
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/jiffies.h>

#include "qs1.h"
#include "trace.h"

/*
 * The firmware looks into the mailbox in every control period, so 100 ms is
 * 2000 chances. A simulated board may be slower than real time: as long as it
 * has not lived through as many periods it gets up to a second.
 */
#define QS1_MAILBOX_TIMEOUT_MS 100
#define QS1_MAILBOX_TRIES 10

static const int qs1_result_errno[] = {
	[QS1_OK] = 0,
	[QS1_ERR_OP] = -EOPNOTSUPP,
	[QS1_ERR_ARG] = -EINVAL,
	[QS1_ERR_RANGE] = -ERANGE,
	[QS1_ERR_STATE] = -EBUSY,
	[QS1_ERR_CONFLICT] = -EINVAL,
	[QS1_ERR_ACTIVE] = -EBUSY,
};

static bool qs1_mailbox_replied(struct qs1 *qs1)
{
	return readl(&qs1->shm->reply.seq) == qs1->command_seq;
}

static int qs1_mailbox_wait(struct qs1 *qs1)
{
	u32 periods = qs1->fw.control_hz / MSEC_PER_SEC * QS1_MAILBOX_TIMEOUT_MS;
	u32 start = readl(&qs1->shm->fw.alive);
	int try;

	for (try = 0; try < QS1_MAILBOX_TRIES; try++) {
		wait_event_timeout(qs1->reply_wait, qs1_mailbox_replied(qs1) || !qs1_running(qs1),
				   msecs_to_jiffies(QS1_MAILBOX_TIMEOUT_MS));
		if (!qs1_running(qs1))
			return -ESHUTDOWN;
		if (qs1_mailbox_replied(qs1))
			return 0;
		if (readl(&qs1->shm->fw.alive) - start >= periods)
			break;
	}
	return -ETIMEDOUT;
}

static int qs1_mailbox_exchange(struct qs1 *qs1, struct qs1_answer *answer, s32 value)
{
	struct qs1_command __iomem *command = &qs1->shm->command;
	int ret;

	/*
	 * A command that timed out may still be in the mailbox. A slow firmware could pair
	 * its operation with the operands of the next one. So write these only after the
	 * firmware has answered.
	 */
	if (!qs1_mailbox_replied(qs1)) {
		ret = qs1_mailbox_wait(qs1);
		if (ret)
			return ret;
	}

	writel(answer->op, &command->op);
	writel(answer->arg, &command->arg);
	writel(value, &command->value);
	writel(++qs1->command_seq, &command->seq);
	/* The memory may be write-combining, and other drivers ring with relaxed writes. */
	wmb();
	qs1->ops->ring(qs1);

	ret = qs1_mailbox_wait(qs1);
	if (ret) {
		if (ret == -ETIMEDOUT)
			dev_warn_ratelimited(qs1->dev, "no reply to command %u, operation %u\n",
					     qs1->command_seq, answer->op);
		return ret;
	}

	answer->result = readl(&qs1->shm->reply.result);
	answer->value = readl(&qs1->shm->reply.value);
	qs1->answer = *answer;
	if (answer->result >= ARRAY_SIZE(qs1_result_errno)) {
		dev_warn_ratelimited(qs1->dev, "operation %u: result %u is not in the contract\n",
				     answer->op, answer->result);
		return -EPROTO;
	}
	return qs1_result_errno[answer->result];
}

/*
 * A command that the firmware has not refused counts as permitted. Its opposite ends the
 * permission, whatever the answer.
 */
static void qs1_note_permission(struct qs1 *qs1, enum qs1_op op, s32 value, int ret)
{
	lockdep_assert_held(&qs1->mailbox_lock);

	switch (op) {
	case QS1_OP_ARM:
		if (!ret || ret == -ETIMEDOUT)
			set_bit(QS1_FLAG_ARMED, &qs1->flags);
		break;
	case QS1_OP_DISARM:
		clear_bit(QS1_FLAG_ARMED, &qs1->flags);
		break;
	case QS1_OP_BENCH:
		if (!value || !ret || ret == -ETIMEDOUT)
			assign_bit(QS1_FLAG_BENCH, &qs1->flags, value);
		break;
	default:
		break;
	}
}

static int qs1_mailbox_command(struct qs1 *qs1, struct qs1_answer *answer, s32 value)
{
	int ret;

	guard(mutex)(&qs1->mailbox_lock);

	if (!qs1_running(qs1))
		return -ESHUTDOWN;

	ret = qs1_mailbox_exchange(qs1, answer, value);
	trace_qs1_mailbox(qs1->id, answer->op, answer->arg, value, answer->result, answer->value,
			  ret);
	qs1_note_permission(qs1, answer->op, value, ret);
	return ret;
}

/**
 * qs1_command() - send one command to the firmware and wait for its reply
 * @qs1: inverter
 * @op: operation
 * @arg: operand
 * @value: operand
 * @ret_value: where to put the reply's value, or NULL; untouched on failure
 *
 * The firmware may still carry out a command that timed out. Until it has answered
 * that one, further commands time out too, and do not reach the mailbox.
 *
 * Context: may sleep, up to a second.
 * Return: 0; -ESHUTDOWN if the firmware does not run, -ETIMEDOUT if it does not
 * answer, -EPROTO if its answer is not in the contract, or its refusal:
 * -EOPNOTSUPP, -EINVAL, -ERANGE or -EBUSY.
 */
int qs1_command(struct qs1 *qs1, enum qs1_op op, u32 arg, s32 value, s32 *ret_value)
{
	struct qs1_answer answer = { .op = op, .arg = arg };
	int ret;

	ret = qs1_mailbox_command(qs1, &answer, value);
	if (!ret && ret_value)
		*ret_value = answer.value;
	return ret;
}
EXPORT_SYMBOL_NS_GPL(qs1_command, QS1_NS);

/**
 * qs1_refuse_value() - note that a parameter's value was refused on this side
 * @qs1: inverter
 * @param: enum qs1_param
 * @limit: the limit that it does not keep
 *
 * The command_result attribute then shows what the firmware would have answered.
 *
 * Return: -ERANGE.
 */
int qs1_refuse_value(struct qs1 *qs1, u32 param, s32 limit)
{
	guard(mutex)(&qs1->mailbox_lock);
	qs1->answer = (struct qs1_answer){ QS1_OP_SET_PARAM, param, QS1_ERR_RANGE, limit };
	return -ERANGE;
}

void qs1_mailbox_init(struct qs1 *qs1)
{
	init_waitqueue_head(&qs1->reply_wait);
}

/**
 * qs1_mailbox_reset() - empty the mailbox while the firmware does not run
 * @qs1: inverter
 *
 * The next firmware must not carry out a command for the previous one.
 */
void qs1_mailbox_reset(struct qs1 *qs1)
{
	guard(mutex)(&qs1->mailbox_lock);

	writel(QS1_OP_NONE, &qs1->shm->command.op);
	writel(0, &qs1->shm->command.seq);
	writel(0, &qs1->shm->reply.seq);
	qs1->command_seq = 0;
	qs1->answer = (struct qs1_answer){ .op = QS1_OP_NONE };
}

/**
 * qs1_mailbox_attach() - go on with the mailbox of a firmware that runs
 * @qs1: inverter
 */
void qs1_mailbox_attach(struct qs1 *qs1)
{
	guard(mutex)(&qs1->mailbox_lock);

	qs1->command_seq = readl(&qs1->shm->command.seq);
	qs1->answer = (struct qs1_answer){ .op = QS1_OP_NONE };
}

/**
 * qs1_mailbox_flush() - end a command that waits
 * @qs1: inverter, whose firmware is marked as not running
 *
 * Permissions end with the firmware: the next one is disarmed.
 */
void qs1_mailbox_flush(struct qs1 *qs1)
{
	wake_up_all(&qs1->reply_wait);
	guard(mutex)(&qs1->mailbox_lock);
	clear_bit(QS1_FLAG_ARMED, &qs1->flags);
	clear_bit(QS1_FLAG_BENCH, &qs1->flags);
}
