// SPDX-License-Identifier: GPL-2.0-only
/* The loop of real boards: faults that end it, and that it ends with everything off. */
#include "io_model.h"

#include "board.h"
#include "start.h"
#include "trace.h"

#define GPIO 0x10000
#define MAILBOX 0x20000
#define WAVE_LOG2 4

/* No converters, no gate logic: no period ever begins. */
const struct qs1_board_map qs1_board_map = {
	.adc = { .spi = 0x30000, .busy = { GPIO + 0x138, 0, 0, 1 } },
	.estop_n = QS1_LINE_OMAP(GPIO, 1),
	.alive = QS1_LINE_OMAP(GPIO, 2),
	.to_linux = { MAILBOX, 1 },
	.from_linux = { { MAILBOX, 0 }, { MAILBOX, 2 } },
	.watchdog = { QS1_WATCHDOG_RTI, 0x40000, 25000000 },
};

static union {
	uint64_t align;
	uint8_t bytes[QS1_SHM_SIZE(WAVE_LOG2)];
} memory;
struct qs1_shm *const qs1_machine_shm = (struct qs1_shm *)memory.bytes;

static struct {
	jmp_buf out;
	uint32_t reason;
	int obeyed;
	int checked;
} seen;

void qs1_stop(uint32_t reason, uint32_t pc)
{
	(void)pc;
	seen.reason = reason;
	qs1_machine_off();
	io.fifo[0].used = 0;
	qs1_machine_shm->fw.doorbell = 77;
	qs1_machine_ring();
	longjmp(seen.out, 1);
}

void qs1_obey(enum qs1_port_action action)
{
	(void)action;
	/* After three periods the conversions end. */
	if (++seen.obeyed == 3)
		io.self_start = false;
}

void qs1_check_stack(void)
{
	seen.checked++;
}

void qs1_trace(const char *text)
{
	(void)text;
}

void qs1_trace_hex(uint32_t value)
{
	assert_int_equal(value, QS1_BOARD_NO_PERIOD);
}

static void loop_ends_with_everything_off(void **state)
{
	static uint64_t core[4096];
	static struct qs1_port port;

	(void)state;
	memset(&io, 0, sizeof(io));
	io.spi = 0x30000;
	io.busy = GPIO + 0x138;
	io.busy_mask = 1;
	io.busy_rise = 3;
	io.busy_fall = 80;
	io.self_start = true;
	io.fifo[0] = (struct fifo_model){ .base = MAILBOX, .number = 1 };
	add_bank(&qs1_board_map.alive);
	assert_true(qs1_core_size() <= sizeof(core));
	qs1_core_init((struct qs1_core *)core);
	qs1_shm_init(&port, qs1_machine_shm, (struct qs1_core *)core, WAVE_LOG2, "test");

	/* before there is a board there is nothing to switch off */
	qs1_machine_off();
	assert_int_equal(io.used, 0);
	if (!setjmp(seen.out))
		qs1_machine_run(&port);
	assert_int_equal(seen.reason, QS1_CRASH_ASSERT);
	assert_int_equal(seen.obeyed, 3);
	assert_int_equal(seen.checked, 3);
	assert_false(driven(&qs1_board_map.alive));
	assert_int_equal(io.fifo[0].word[0], 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loop_ends_with_everything_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
