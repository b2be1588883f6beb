// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mailbox against firmwares that answer rightly, wrongly, late and never.
 */
#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/errno.h>
#include <linux/jiffies.h>

#include "fake.h"

#define MAILBOX_UNTOUCHED 0x5a5a5a5a
#define MAILBOX_VALUE (-42)

struct mailbox_case {
	const char *name;
	u32 result;
	int ret;
};

static const struct mailbox_case mailbox_cases[] = {
	{ "ok", QS1_OK, 0 },
	{ "no such operation", QS1_ERR_OP, -EOPNOTSUPP },
	{ "no such operand", QS1_ERR_ARG, -EINVAL },
	{ "range", QS1_ERR_RANGE, -ERANGE },
	{ "state", QS1_ERR_STATE, -EBUSY },
	{ "conflict", QS1_ERR_CONFLICT, -EINVAL },
	{ "active", QS1_ERR_ACTIVE, -EBUSY },
	{ "one beyond the contract", QS1_ERR_ACTIVE + 1, -EPROTO },
	{ "sign bit", 0x80000000, -EPROTO },
	{ "all ones", 0xffffffff, -EPROTO },
};

KUNIT_ARRAY_PARAM_DESC(mailbox, mailbox_cases, name);

/* What the firmware says to the next command. */
static u32 mailbox_result;

static void answer(struct qs1 *qs1)
{
	struct fake *fake = container_of(qs1, struct fake, qs1);

	fake->shm->reply.result = mailbox_result;
	fake->shm->reply.value = MAILBOX_VALUE;
	fake->shm->reply.seq = fake->shm->command.seq;
}

static void answer_another(struct qs1 *qs1)
{
	struct fake *fake = container_of(qs1, struct fake, qs1);

	answer(qs1);
	fake->shm->reply.seq = fake->shm->command.seq - 1;
}

static void die(struct qs1 *qs1)
{
	clear_bit(QS1_FLAG_RUNNING, &qs1->flags);
}

static const struct qs1_ops answering = { .ring = answer };
static const struct qs1_ops answering_another = { .ring = answer_another };
static const struct qs1_ops dying = { .ring = die };

static void mailbox_result_becomes_errno(struct kunit *test)
{
	const struct mailbox_case *c = test->param_value;
	struct fake *fake = fake_inverter(test);
	s32 value = MAILBOX_UNTOUCHED;

	fake->qs1.ops = &answering;
	mailbox_result = c->result;
	KUNIT_EXPECT_EQ(test, qs1_command(&fake->qs1, QS1_OP_GET_PARAM, 7, 8, &value), c->ret);
	KUNIT_EXPECT_EQ(test, value, c->ret ? MAILBOX_UNTOUCHED : MAILBOX_VALUE);
	KUNIT_EXPECT_EQ(test, fake->shm->command.op, (u32)QS1_OP_GET_PARAM);
	KUNIT_EXPECT_EQ(test, fake->shm->command.arg, 7u);
	KUNIT_EXPECT_EQ(test, fake->shm->command.value, 8);
	KUNIT_EXPECT_EQ(test, fake->qs1.answer.result, c->result);
	KUNIT_EXPECT_EQ(test, fake->qs1.answer.value, MAILBOX_VALUE);
}

static void mailbox_numbers_each_command(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	u32 before;

	fake->qs1.ops = &answering;
	fake->qs1.command_seq = 0xffffffff; /* wraps */
	fake->shm->reply.seq = 0xffffffff;
	mailbox_result = QS1_OK;
	KUNIT_EXPECT_EQ(test, qs1_command(&fake->qs1, QS1_OP_PING, 0, 0, NULL), 0);
	before = fake->shm->command.seq;
	KUNIT_EXPECT_EQ(test, qs1_command(&fake->qs1, QS1_OP_PING, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, fake->shm->command.seq, before + 1);
}

/* A firmware that stands still gets a second, in case its board is only slow. */
static void mailbox_gives_up_a_silent_firmware(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	unsigned long start = jiffies;

	KUNIT_EXPECT_EQ(test, qs1_command(&fake->qs1, QS1_OP_PING, 0, 0, NULL), -ETIMEDOUT);
	KUNIT_EXPECT_GE(test, jiffies - start, 9 * HZ / 10);
	KUNIT_EXPECT_LE(test, jiffies - start, 3ul * HZ);
	KUNIT_EXPECT_EQ(test, fake->qs1.answer.op, (u32)QS1_OP_NONE);
}

static void mailbox_ignores_the_reply_to_another(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);

	fake->qs1.ops = &answering_another;
	mailbox_result = QS1_OK;
	KUNIT_EXPECT_EQ(test, qs1_command(&fake->qs1, QS1_OP_PING, 0, 0, NULL), -ETIMEDOUT);
}

/*
 * A slow firmware has read the number of a command that timed out, and reads operation and operands
 * later: until it has answered nothing of them may change.
 */
static void mailbox_keeps_a_late_command_whole(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	struct qs1_command late;

	KUNIT_EXPECT_EQ(test, qs1_command(&fake->qs1, QS1_OP_SET_PARAM, 7, 8, NULL), -ETIMEDOUT);
	late = fake->shm->command;
	KUNIT_EXPECT_EQ(test, qs1_command(&fake->qs1, QS1_OP_DISARM, 0, 0, NULL), -ETIMEDOUT);
	KUNIT_EXPECT_MEMEQ(test, &late, &fake->shm->command, sizeof(late));

	/* It answers at last: the next one goes through. */
	fake->qs1.ops = &answering;
	mailbox_result = QS1_OK;
	fake->shm->reply.seq = late.seq;
	KUNIT_EXPECT_EQ(test, qs1_command(&fake->qs1, QS1_OP_DISARM, 0, 0, NULL), 0);
	KUNIT_EXPECT_EQ(test, fake->shm->command.op, (u32)QS1_OP_DISARM);
	KUNIT_EXPECT_EQ(test, fake->shm->command.seq, late.seq + 1);
}

/* What a firmware has carried out before this driver came is no answer to the first command. */
static void mailbox_attaches_to_the_number_in_use(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);

	fake->shm->command.seq = 41;
	fake->shm->reply.seq = 41;
	qs1_mailbox_attach(&fake->qs1);
	KUNIT_EXPECT_EQ(test, qs1_command(&fake->qs1, QS1_OP_PING, 0, 0, NULL), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, fake->shm->command.seq, 42u);
}

static void mailbox_gives_up_a_dead_firmware_at_once(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);
	unsigned long start = jiffies;

	fake->qs1.ops = &dying;
	KUNIT_EXPECT_EQ(test, qs1_command(&fake->qs1, QS1_OP_PING, 0, 0, NULL), -ESHUTDOWN);
	KUNIT_EXPECT_LE(test, jiffies - start, HZ / 20ul);
	/* And does not even ask one that is known to be dead. */
	fake->shm->command.op = QS1_OP_NONE;
	KUNIT_EXPECT_EQ(test, qs1_command(&fake->qs1, QS1_OP_PING, 0, 0, NULL), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, fake->shm->command.op, (u32)QS1_OP_NONE);
}

static void mailbox_reset_leaves_nothing_to_do(struct kunit *test)
{
	struct fake *fake = fake_inverter(test);

	fake->qs1.ops = &answering;
	mailbox_result = QS1_OK;
	KUNIT_EXPECT_EQ(test, qs1_command(&fake->qs1, QS1_OP_ARM, 0, 0, NULL), 0);
	qs1_mailbox_reset(&fake->qs1);
	KUNIT_EXPECT_EQ(test, fake->shm->command.op, (u32)QS1_OP_NONE);
	KUNIT_EXPECT_EQ(test, fake->shm->command.seq, 0u);
	KUNIT_EXPECT_EQ(test, fake->shm->reply.seq, 0u);
}

static struct kunit_case mailbox_test_cases[] = {
	KUNIT_CASE_PARAM(mailbox_result_becomes_errno, mailbox_gen_params),
	KUNIT_CASE(mailbox_numbers_each_command),
	KUNIT_CASE(mailbox_gives_up_a_silent_firmware),
	KUNIT_CASE(mailbox_ignores_the_reply_to_another),
	KUNIT_CASE_SLOW(mailbox_keeps_a_late_command_whole),
	KUNIT_CASE(mailbox_attaches_to_the_number_in_use),
	KUNIT_CASE(mailbox_gives_up_a_dead_firmware_at_once),
	KUNIT_CASE(mailbox_reset_leaves_nothing_to_do),
	{}
};

static struct kunit_suite mailbox_suite = {
	.name = "qs1-mailbox",
	.test_cases = mailbox_test_cases,
};

kunit_test_suite(mailbox_suite);
