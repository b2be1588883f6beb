// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* PRU0: control periods by the bridge's timer. */
#include "adc.h"
#include "calibrate.h"
#include "io.h"
#include "lanes.h"
#include "map.h"
#include "overlay.h"
#include "pair.h"

/* Reads of the period's flag, each 38 cycles at least: a period, and as much again. */
#define LOOKS_PERIOD 520
/*
 * A period without good samples is an emergency stop of that period; one without its
 * slow task delays the following tasks. After so many in a row PRU0 stops everything.
 */
#define BAD_MAX 20

#define PERIOD_CYCLES (AM335X_PRU_HZ / QS1_CONTROL_HZ)
#define CONVERSION_CYCLES (QS1_LANES_CONVERSION_NS * (AM335X_PRU_HZ / 1000000) / 1000)
/*
 * A period is late when its flag is taken a microsecond after it was set, as far as
 * PRU0 knows: BEFORE_CYCLES is up to 80 more than it takes.
 */
#define LATE_CYCLES 280
/* From the period's beginning to begin_period(), when its flag was waited for. */
#define BEFORE_CYCLES 180
/* Reserve, so that the period's flag is polled in time. */
#define SPARE_CYCLES 120

/* In a separate section, which qs1ctl finds by its name. */
__attribute__((section(".calibration"), used))
const struct qs1_calibration qs1_board_calibration = { 0 };

/*
 * One structure, so that one address serves all. idle: R30 between two samplings; asked:
 * PRU1's question; end: of the period, by the cycle counter; bad, held: periods in a
 * row without samples, and without a slow task.
 */
static struct {
	uint32_t idle;
	uint32_t asked;
	uint32_t end;
	uint32_t bad;
	uint32_t held;
} own = { .idle = AM335X_SCLK | AM335X_CS_N, .end = UINT32_MAX };

/* Gates and relay off, no further edge of the alive line, and a crash report for Linux. */
void qs1_stop(void)
{
	qs1_pwm_trip(&qs1_pair.pwm);
	qs1_line_set(&qs1_pru_map.relay, false);
	if (!qs1_shm_read(qs1_contract.fw.crash_reason))
		qs1_shm_crash(&qs1_contract, QS1_CRASH_ASSERT, 0);
	qs1_r31_write(AM335X_PULSE(AM335X_EVENT_FIRMWARE));
	for (;;)
		__asm__ volatile("halt");
}

/* The counter stops at 2^32: it is cleared in each period. */
__attribute__((noinline)) static void restart_counter(void)
{
	qs1_io_write32(AM335X_PRU0_CTRL, AM335X_PRU_NO_RESET | AM335X_PRU_ENABLE);
	qs1_io_write32(AM335X_PRU0_CYCLE, 0);
	qs1_io_write32(AM335X_PRU0_CTRL,
		       AM335X_PRU_NO_RESET | AM335X_PRU_ENABLE | AM335X_PRU_COUNT);
}

bool qs1_time_for(uint32_t cycles)
{
	return qs1_io_read32(AM335X_PRU0_CYCLE) + cycles <= own.end;
}

static bool answered(void)
{
	return qs1_pair.answer == own.asked;
}

/* From here on PRU0 owns the state. No answer by the end of the period stops everything. */
static void wait_for_answer(void)
{
	while (!answered()) {
		if (!qs1_time_for(0))
			qs1_stop();
	}
	qs1_shm_barrier();
}

/* From here on PRU1 owns the state. The code of the turn must be loaded. */
static void ask(uint32_t turn)
{
	qs1_overlay_run();
	own.asked = ((own.asked & ~QS1_ASK_TURN) + QS1_ASK_NEXT) | turn;
	qs1_shm_barrier();
	qs1_ask = own.asked;
}

/* The turn that is due between two slots of the core, in most periods QS1_TURN_PORT. */
static uint32_t due(void)
{
	if (qs1_pair.core.slot != QS1_PAIR_SLOT + 1)
		return QS1_TURN_PORT;
	if (qs1_pair.telemetry)
		return QS1_TURN_TELEMETRY;
	return qs1_pair.mailbox == QS1_TURN_REPLY ? QS1_TURN_PORT : qs1_pair.mailbox;
}

/* A slow task of the core, PRU1's with the state. */
static void slow(void)
{
	ask(qs1_pair.core.slot);
	wait_for_answer();
}

/*
 * The core's slow task of this period. If its code is not loaded, time is short or
 * another turn has priority, this task and all following ones move to the next period.
 * When two tasks fit into a period, PRU0 runs both to catch up. The core itself
 * advances to the next slot, and from the last one to a new frame.
 */
void qs1_slot(struct qs1_core *core, uint32_t n)
{
	if (!qs1_overlay_there(due()) || !qs1_overlay_for(n)) {
		core->slot--;
		qs1_pair.held++;
		qs1_pair.behind++;
		if (++own.held == BAD_MAX)
			qs1_stop();
		return;
	}
	slow();
	own.held = 0;
	if (!qs1_pair.behind || n == QS1_TICKS_PER_MS - 1)
		return;
	core->slot++;
	if (due() == QS1_TURN_PORT && qs1_overlay_ready(n + 1)) {
		slow();
		qs1_pair.behind--;
	} else {
		core->slot--;
	}
}

/* Return: whether the period had begun before the wait. */
static bool wait_for_period(void)
{
	int looks = LOOKS_PERIOD;

	while (!qs1_pwm_period(&qs1_pair.pwm)) {
		if (!--looks)
			qs1_stop();
	}
	return looks == LOOKS_PERIOD;
}

/* Start the period's cycle count, after the samples, which must not wait. */
static void begin_period(bool behind)
{
	own.end += PERIOD_CYCLES - qs1_io_read32(AM335X_PRU0_CYCLE);
	restart_counter();
	if (!behind)
		own.end = PERIOD_CYCLES - BEFORE_CYCLES;
	else if (own.end > PERIOD_CYCLES)
		own.end = 0; /* by more than a period */
	if (own.end < PERIOD_CYCLES - LATE_CYCLES)
		qs1_pair.late++;
}

/* PRU1 may still be at work: all is its until then, but code may be loaded if it is not. */
static bool sample(int16_t adc[QS1_ADC_COUNT])
{
	bool behind = wait_for_period();
	bool good = !qs1_lanes_convert(own.idle);

	begin_period(behind);
	if (answered())
		qs1_overlay_ahead(PERIOD_CYCLES - BEFORE_CYCLES - CONVERSION_CYCLES);
	if (good && !qs1_lanes_wait()) {
		qs1_lanes_read(own.idle, adc);
		qs1_calibrate(&qs1_board_calibration, adc);
		own.bad = 0;
		return true;
	}
	if (++own.bad == BAD_MAX)
		qs1_stop();
	return false;
}

/* After the outputs there are, in each period, the port, and then a command or loads. */
static void after(void)
{
	uint32_t turn = due();

	ask(turn == QS1_TURN_TELEMETRY && qs1_overlay_for(turn) ? turn : QS1_TURN_PORT);
	while (!answered()) {
		if (!qs1_time_for(SPARE_CYCLES))
			return;
	}
	qs1_shm_barrier();
	turn = qs1_pair.mailbox == QS1_TURN_REPLY ? QS1_TURN_REPLY : due();
	if (turn > QS1_TURN_TELEMETRY && qs1_overlay_for(turn))
		ask(turn);
	else
		qs1_overlay_ahead(SPARE_CYCLES);
}

static void period(void)
{
	int16_t adc[QS1_ADC_COUNT];
	struct qs1_outputs out;
	bool good;

	good = sample(adc);
	wait_for_answer();
	if (good)
		__builtin_memcpy(qs1_pair.in.adc, adc, sizeof(adc));
	if (!good || !qs1_line_get(&qs1_pru_map.estop_n))
		qs1_pair.in.estop_n = false;
	qs1_core_step(&qs1_pair.core, &qs1_pair.in, &out);
	qs1_pwm_apply(&qs1_pair.pwm, &out);
	qs1_line_set(&qs1_pru_map.relay, out.relay);
	own.idle ^= AM335X_ALIVE;
	qs1_r30_write(own.idle);
	after();
}

int main(void)
{
	qs1_pru_master();
	qs1_r30_write(own.idle);
	qs1_line_set(&qs1_pru_map.relay, false);
	qs1_shm_write(qs1_contract.fw.crash_reason, QS1_CRASH_NONE);
	qs1_pair.answer = 0;
	qs1_pair.pwm.map = &qs1_pru_map.pwm;
	qs1_pair.calibration = AM335X_OTHER_DATA + (uint32_t)&qs1_board_calibration;
	restart_counter();
	qs1_overlay_for(QS1_TURN_START);
	ask(QS1_TURN_START);
	while (!answered())
		;
	if (!qs1_pair.ready)
		qs1_stop();
	qs1_pwm_clear(&qs1_pair.pwm);  /* all outputs are still forced low */
	qs1_pwm_period(&qs1_pair.pwm); /* those that have begun meanwhile */
	for (;;)
		period();
}
