/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The firmware's end of the shared memory: the host's lines, and what rings.
 */
#include "bench_core.h"
#include "shm.h"

#define WAVE_LOG2 4

struct end {
	struct bench bench;
	struct qs1_port port;
	struct qs1_shm *shm;
	union {
		uint64_t align;
		uint8_t bytes[QS1_SHM_SIZE(WAVE_LOG2)];
	} memory;
	unsigned int rings;
};

static void end_init(struct end *e)
{
	memset(e, 0, sizeof(*e));
	bench_init(&e->bench);
	e->shm = (struct qs1_shm *)e->memory.bytes;
	e->shm->host.gpio_out = QS1_GPIO_ENABLE | QS1_GPIO_ESTOP_N;
	qs1_shm_init(&e->port, e->shm, &e->bench.core, WAVE_LOG2, "test");
}

static void end_step(struct end *e)
{
	if (e->bench.core.ticks % 2000 == 0)
		e->shm->host.heartbeat++;
	e->bench.host_alive = false;
	qs1_shm_command(&e->port);
	e->bench.in.estop_n = true;
	qs1_shm_begin(&e->port, &e->bench.in);
	bench_step(&e->bench);
	qs1_shm_end(&e->port, &e->bench.in);
	e->rings += qs1_shm_ring(&e->port);
}

static void end_run(struct end *e, double seconds)
{
	for (long n = lround(seconds * QS1_CONTROL_HZ); n > 0; n--)
		end_step(e);
}

static uint32_t end_command(struct end *e, uint32_t op, uint32_t arg, int32_t value)
{
	e->shm->command.op = op;
	e->shm->command.arg = arg;
	e->shm->command.value = value;
	e->shm->command.seq++;
	end_step(e);
	assert_int_equal(e->shm->reply.seq, e->shm->command.seq);
	return e->shm->reply.result;
}

static void a_released_enable_line_disarms_until_the_next_command(void **state)
{
	struct end e;

	(void)state;
	end_init(&e);
	end_run(&e, 0.5);
	assert_int_equal(end_command(&e, QS1_OP_ARM, 0, 0), QS1_OK);
	assert_int_equal(e.bench.core.fsm.state, QS1_STATE_WAITING);
	e.shm->host.gpio_out &= ~QS1_GPIO_ENABLE;
	end_step(&e);
	assert_int_equal(e.bench.core.fsm.state, QS1_STATE_SHUTDOWN);
	assert_int_equal(end_command(&e, QS1_OP_ARM, 0, 0), QS1_ERR_STATE);
	assert_false(e.bench.core.fsm.armed);
	e.shm->host.gpio_out |= QS1_GPIO_ENABLE;
	end_run(&e, 1);
	assert_int_equal(e.bench.core.fsm.state, QS1_STATE_SHUTDOWN);
	assert_int_equal(end_command(&e, QS1_OP_ARM, 0, 0), QS1_OK);
	assert_int_equal(e.bench.core.fsm.state, QS1_STATE_WAITING);
}

/* For a HAL that has no time for both in one period. */
static void a_command_may_be_answered_a_period_after_it_was_taken(void **state)
{
	struct end e;

	(void)state;
	end_init(&e);
	assert_false(qs1_shm_take(&e.port));
	e.shm->command = (struct qs1_command){
		.op = QS1_OP_SET_PARAM, .arg = QS1_PARAM_PV_MIN_V, .value = 170, .seq = 1
	};
	assert_true(qs1_shm_waits(&e.port));
	assert_true(qs1_shm_take(&e.port));
	assert_int_equal(qs1_core_param(&e.bench.core, QS1_PARAM_PV_MIN_V), 170);
	assert_int_not_equal(e.shm->param[QS1_PARAM_PV_MIN_V], 170);
	assert_int_equal(e.shm->reply.seq, 0);
	bench_step(&e.bench);
	assert_int_equal(qs1_shm_answer(&e.port), QS1_PORT_NONE);
	assert_int_equal(e.shm->param[QS1_PARAM_PV_MIN_V], 170);
	assert_int_equal(e.shm->reply.seq, 1);
	assert_int_equal(e.shm->reply.result, QS1_OK);
	assert_false(qs1_shm_waits(&e.port));
}

static void emergency_stop_line_reaches_the_core(void **state)
{
	struct end e;

	(void)state;
	end_init(&e);
	end_step(&e);
	assert_false(e.bench.core.estop);
	e.shm->host.gpio_out &= ~QS1_GPIO_ESTOP_N;
	end_step(&e);
	assert_true(e.bench.core.estop);
}

/* Without a stream and without events no doorbell wakes the host. */
static void a_quiet_unit_does_not_ring(void **state)
{
	struct end e;

	(void)state;
	end_init(&e);
	end_run(&e, 1.5);
	e.rings = 0;
	end_run(&e, 2);
	assert_int_equal(e.rings, 0);
}

/* A change without an event: the doorbell rings when the snapshot shows the change. */
static void a_change_of_the_grid_rings_once_the_snapshot_shows_it(void **state)
{
	struct end e;
	uint32_t head;
	long steps;

	(void)state;
	end_init(&e);
	end_run(&e, 1.5);
	assert_true(e.shm->telemetry.status & QS1_STATUS_GRID_OK);
	head = e.shm->events.head;
	e.bench.v_pu = 1.15;
	e.rings = 0;
	for (steps = 0; !e.rings && steps < QS1_CONTROL_HZ; steps++)
		end_step(&e);
	print_message("rings %ld periods after the step\n", steps);
	assert_true(e.rings);
	assert_false(e.shm->telemetry.status & QS1_STATUS_GRID_OK);
	assert_int_equal(e.shm->events.head, head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_released_enable_line_disarms_until_the_next_command),
		cmocka_unit_test(a_command_may_be_answered_a_period_after_it_was_taken),
		cmocka_unit_test(emergency_stop_line_reaches_the_core),
		cmocka_unit_test(a_quiet_unit_does_not_ring),
		cmocka_unit_test(a_change_of_the_grid_rings_once_the_snapshot_shows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
