// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random sequences of everything that can happen to the policy. The bench checks
 * every decision; see check_decision() and check_period().
 */
#include "policy_bench.h"
#include "util.h"

#ifndef MOVES
#define MOVES 2000000
#endif

static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint64_t)(seed >> 8) * below >> 24;
}

/* All is well again, and after a while the inverter may produce. */
static void heal(struct bench *b)
{
	memset(b->refuse, 0, sizeof(b->refuse));
	b->taken = false;
	b->save_ms = 0;
	b->save_result = 0;
	b->in.storage_busy = false;
	b->frozen = false;
	b->ground = false;
	b->in.plausible = true;
	boot(b, true);
	run(b, POLICY_STORE_MS + POLICY_UNDO_MS + POLICY_RETRY_MS + 1000);
	assert_int_equal(simple(b, POLICY_COMMAND_CLEAR), POLICY_DONE);
	assert_int_equal(command(b, &(struct policy_command){ .kind = POLICY_COMMAND_CLEAR,
							      .fault = QS1_FAULT_STORE_LOST }),
			 POLICY_DONE);
	assert_int_equal(simple(b, POLICY_COMMAND_START), POLICY_DONE);
	run(b, (POLICY_PLAUSIBLE_READINGS + 1) * READING_MS + 1000);
	assert_true(is_armed(b));
}

static void start_firmware(struct bench *b)
{
	boot(b, draw(2));
}

static void stop_firmware(struct bench *b)
{
	b->in.present = false;
}

static void ground_fault(struct bench *b)
{
	b->in.faults_latched |= GFDI;
	set_state(b, QS1_STATE_GROUND_FAULT);
}

static void ground_current(struct bench *b)
{
	b->ground = !b->ground;
}

/* Give a command without waiting for its end; skip it if its slot is busy. */
static void give(struct bench *b, const struct policy_command *command)
{
	step(b, policy_is_open(&b->policy, command->kind) ? NULL : command);
}

static void clear_latch(struct bench *b)
{
	static const unsigned int faults[] = { QS1_FAULT_GFDI, QS1_FAULT_GFDI, QS1_FAULT_GFDI,
					       QS1_FAULT_RELAY, QS1_FAULT_STORE_LOST };

	give(b, &(struct policy_command){ .kind = POLICY_COMMAND_CLEAR,
					  .fault = faults[draw(ARRAY_SIZE(faults))] });
}

static void command_start(struct bench *b)
{
	give(b, &(struct policy_command){ .kind = POLICY_COMMAND_START });
}

static void command_stop(struct bench *b)
{
	give(b, &(struct policy_command){ .kind = POLICY_COMMAND_STOP });
}

static void command_profile(struct bench *b)
{
	struct policy_command use = {
		.kind = POLICY_COMMAND_PROFILE,
		.profile = profile_named(draw(2) ? "note1" : "other"),
	};

	use.profile.value[QS1_PARAM_ES_DELAY_S] = draw(600);
	give(b, &use);
}

static void command_set(struct bench *b)
{
	bool delay = draw(2);

	give(b, &(struct policy_command){
			.kind = POLICY_COMMAND_SET,
			.param = delay ? QS1_PARAM_ES_DELAY_S : QS1_PARAM_POWER_LIMIT_W,
			.value = draw(600),
		});
}

static void command_pair(struct bench *b)
{
	give(b, &(struct policy_command){ .kind = POLICY_COMMAND_PAIR, .key = { draw(256) } });
}

static void command_limit(struct bench *b)
{
	give(b, &(struct policy_command){
			.kind = POLICY_COMMAND_LIMIT,
			.limit = {
				.owner = { 'a' + draw(3) },
				.w = draw(4) ? (int32_t)draw(1200) : LIMITS_NONE,
				.until_ms = b->now_ms + draw(20000),
				.then_w = draw(2) ? (int32_t)draw(1200) : LIMITS_NONE,
			},
		});
}

static void disk_changes(struct bench *b)
{
	static const int64_t times_ms[] = { 0, 0, 500, 10000, 40000 };

	b->save_ms = times_ms[draw(ARRAY_SIZE(times_ms))];
	b->save_result = draw(2) ? 0 : -EROFS;
	b->in.storage_busy = draw(4) == 0;
}

static void sensor_fails(struct bench *b)
{
	b->in.plausible = !b->in.plausible;
}

static void telemetry_freezes(struct bench *b)
{
	b->frozen = !b->frozen;
}

static void something_is_refused(struct bench *b)
{
	int *refuse = &b->refuse[1 + draw(POLICY_ACTION_COUNT - 1)];

	*refuse = *refuse ? 0 : draw(2) ? -EBUSY : -ETIMEDOUT;
	b->taken = draw(2);
}

static void self_test_passes(struct bench *b)
{
	b->in.status |= QS1_STATUS_SELF_TEST_OK;
}

static void any_state(struct bench *b)
{
	set_state(b, draw(QS1_STATUS_STATE_MASK + 1));
}

static void permission_vanishes(struct bench *b)
{
	b->in.status ^= QS1_STATUS_ARMED;
}

static void ecu_asks(struct bench *b)
{
	b->in.ecu = true;
}

/* The daemon restarts, from what is on stable storage. */
static void restart_daemon(struct bench *b)
{
	policy_init(&b->policy, &b->saved, true, b->now_ms);
	b->unsaved_ms = 0;
	b->saving = false;
	/* It does not know what its predecessor applied; the firmware still does. */
	b->profile_epoch = b->in.epoch - 1;
}

static void wait_a_while(struct bench *b)
{
	run(b, draw(32) * TICK_MS);
}

static void wait_for_long(struct bench *b)
{
	run(b, draw(2 * POLICY_RETRY_MS));
}

/* How often each move comes, of the sum of all. */
static const struct {
	unsigned int weight;
	void (*move)(struct bench *b);
} moves[] = {
	{ 3, start_firmware },	 { 2, stop_firmware },	   { 2, ground_fault },
	{ 2, ground_current },	 { 3, clear_latch },	   { 3, command_start },
	{ 2, command_stop },	 { 2, command_profile },   { 2, command_set },
	{ 1, command_pair },	 { 2, command_limit },	   { 2, disk_changes },
	{ 2, sensor_fails },	 { 2, telemetry_freezes }, { 3, something_is_refused },
	{ 3, self_test_passes }, { 2, any_state },	   { 1, permission_vanishes },
	{ 1, ecu_asks },	 { 1, restart_daemon },	   { 1, heal },
	{ 25, wait_a_while },	 { 4, wait_for_long },
};

static void invariants_hold_on_random_walks(void **state)
{
	unsigned int sum = 0;
	struct bench b;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		sum += moves[i].weight;
	}
	start(&b, NULL);
	for (int n = 0; n < MOVES; n++) {
		unsigned int drawn = draw(sum);
		size_t i = 0;

		while (drawn >= moves[i].weight) {
			drawn -= moves[i++].weight;
		}
		moves[i].move(&b);
	}
	print_message("# %lu decisions, %.0f hours, %d permissions, %d latches restored\n",
		      (unsigned long)b.steps, b.now_ms / 3.6e6, b.count[POLICY_ARM],
		      b.count[POLICY_LATCH]);
	assert_true(b.steps > 5 * MOVES);
	assert_true(b.count[POLICY_ARM] > MOVES / 200);
	assert_true(b.count[POLICY_LATCH] > MOVES / 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invariants_hold_on_random_walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
