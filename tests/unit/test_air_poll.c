// SPDX-License-Identifier: GPL-2.0-only
/* Many units read through one modem, in virtual time: the poller, a modem, the air, units. */
#include <qs1/codes.h>

#include "link_bench.h"

#include "modem.h"
#include "node.h"
#include "poller.h"
#include "util.h"

#define UNITS_MAX 100

static struct air *air;
static struct modem modem;
static struct node node[UNITS_MAX];
static struct poll poll;
static int hard_resets;

static void to_poll(void *ctx, const uint8_t *bytes, size_t n)
{
	(void)ctx;
	poll_input(&poll, bytes, n, air_now(air));
}

static void to_modem(void *ctx, const uint8_t *bytes, size_t n)
{
	(void)ctx;
	modem_input(&modem, bytes, n);
}

static void pull_reset(void *ctx)
{
	(void)ctx;
	hard_resets++;
	modem_reset(&modem);
}

static void serial_of(int i, struct serial *serial)
{
	char text[SERIAL_TEXT_SIZE];

	snprintf(text, sizeof(text), "8060%08d", i + 1);
	assert_int_equal(serial_parse(text, serial), 0);
}

/* A unit whose inputs have @w each. */
static void set_readings(struct unit_state *state, double w)
{
	static const struct {
		enum own_status_field field;
		double value;
		double per_w;
	} reading[] = {
		{ OWN_STATE, QS1_STATE_PRODUCING, 0 },
		{ OWN_PV1_V, 34, 0 },
		{ OWN_PV2_V, 34, 0 },
		{ OWN_PV3_V, 34, 0 },
		{ OWN_PV4_V, 34, 0 },
		{ OWN_PV1_I, 0, 1 / 34.0 },
		{ OWN_PV2_I, 0, 1 / 34.0 },
		{ OWN_PV3_I, 0, 1 / 34.0 },
		{ OWN_PV4_I, 0, 1 / 34.0 },
		{ OWN_GRID_V, 240, 0 },
		{ OWN_GRID_F, 60, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(reading); i++) {
		enum own_status_field field = reading[i].field;

		state->status[field] = field_raw(&own_status_field[field],
						 reading[i].value + reading[i].per_w * w);
	}
}

/* A site: all units hear each other at -60 dBm, and the modem at @dbm. */
static void set_up(enum modem_chip chip, enum poll_kind kind, int units, double dbm)
{
	const struct poll_config config = { .kind = kind,
					    .ecu = { 0xd8, 0xa3, 0x01, 0x1b, 0x97, 0x80 },
					    .channel = 16 };
	struct modem_config modem_config = { .chip = chip };

	air_free(air);
	air = air_new(&air_config_default);
	hard_resets = 0;
	assert_int_equal(modem_init(&modem, air, &modem_config, to_poll, NULL), 0);
	memset(&poll, 0, sizeof(poll));
	poll_init(&poll, &config, to_modem, pull_reset, NULL);
	for (int i = 0; i < units; i++) {
		struct air_radio_config radio = { .channel = 16,
						  .pan = poll_pan(config.ecu),
						  .address = (uint16_t)(0x1001 + i) };
		struct serial serial;
		int number;

		serial_of(i, &serial);
		number = node_init(&node[i], air, &radio, &serial, NULL, NULL);
		assert_int_equal(number, i + 1);
		set_readings(&node[i].state, 100 + i);
		assert_int_equal(poll_add(&poll, &serial, radio.address), 0);
		for (int j = 1; j < number; j++) {
			air_level(air, number, j, -60);
			air_level(air, j, number, -60);
		}
		air_level(air, 0, number, dbm);
		air_level(air, number, 0, dbm);
	}
	poll_start(&poll, 0);
}

static void run(uint64_t until_us)
{
	while (air_now(air) < until_us) {
		uint64_t next = air_next(air) < poll.due_us ? air_next(air) : poll.due_us;

		next = next < until_us ? next : until_us;
		air_run(air, next > air_now(air) ? next : air_now(air));
		poll_run(&poll, air_now(air));
	}
}

static void check_readings(int units)
{
	for (int i = 0; i < units; i++) {
		const struct poll_unit *unit = &poll.unit[i];
		double v, a;

		assert_true(unit->answered > 0 && unit->wrong == 0);
		if (poll.config.kind == POLL_STOCK) {
			v = field_physical(&l2_telemetry_field[L2_VOLTAGE_A],
					   unit->l2[L2_VOLTAGE_A]);
			a = field_physical(&l2_telemetry_field[L2_CURRENT_A],
					   unit->l2[L2_CURRENT_A]);
		} else {
			v = field_physical(&own_status_field[OWN_PV1_V], unit->status[OWN_PV1_V]);
			a = field_physical(&own_status_field[OWN_PV1_I], unit->status[OWN_PV1_I]);
		}
		check_near("power of input 1", v * a, 100 + i, 0.5);
	}
}

static void each_chip_and_kind_reads_all_units(void **state)
{
	(void)state;
	for (int chip = MODEM_CC2530; chip <= MODEM_CC2652; chip++) {
		for (int kind = POLL_STOCK; kind <= POLL_OWN; kind++) {
			set_up(chip, kind, 8, -60);
			run(4000000);
			assert_true(poll.rounds > 2);
			check_readings(8);
			assert_int_equal(poll.modem_resets, 1);
			print_message("chip %d, %s: round of 8 in %.0f ms\n", chip,
				      kind ? "own" : "stock", (double)poll.round_us / 1000);
		}
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* How long after the start of each round each unit's reading came; of @rounds rounds. */
static double percentile_95(int units, int rounds, double *ret_answered)
{
	static uint64_t took[UNITS_MAX * 100];
	size_t n = 0;
	int missing = 0;

	for (int round = 0; round < rounds; round++) {
		uint64_t rounds_before = poll.rounds;
		uint64_t start = poll.round_start_us;

		while (poll.rounds == rounds_before) {
			start = poll.round_start_us;
			run(air_now(air) + 1000);
		}
		for (int i = 0; i < units; i++) {
			bool fresh = poll.unit[i].fresh_us >= start;

			missing += !fresh;
			took[n++] = fresh ? poll.unit[i].fresh_us - start : UINT64_MAX;
		}
	}
	qsort(took, n, sizeof(took[0]), compare);
	*ret_answered = 1 - (double)missing / (double)n;
	return (double)took[n * 95 / 100] * 1e-6;
}

/* The level is set so that one long frame in twenty is damaged: see the counter. */
static void fifty_units_at_five_per_cent_loss_are_read_in_time(void **state)
{
	double answered;
	double p95;
	double loss;

	(void)state;
	set_up(MODEM_CC2530, POLL_STOCK, 50, -97.6);
	run(3000000);
	p95 = percentile_95(50, 20, &answered);
	loss = (double)air_count(air, 0)->damaged /
	       (double)(air_count(air, 0)->damaged + air_count(air, 0)->received);
	print_message("50 units: 95 %% read within %.2f s, %.2f %% answered, frame loss %.1f %%\n",
		      p95, 100 * answered, 100 * loss);
	assert_true(loss > 0.04 && loss < 0.08);
	assert_true(p95 <= 5);
	assert_true(answered > 0.99);
	check_readings(50);
}

static double mean_round_s(int seconds)
{
	uint64_t rounds = poll.rounds;
	uint64_t start = poll.round_start_us;

	run(air_now(air) + (uint64_t)seconds * 1000000);
	return (double)(poll.round_start_us - start) * 1e-6 / (double)(poll.rounds - rounds);
}

static void a_dead_unit_costs_the_others_little(void **state)
{
	double all;
	double one_dead;

	(void)state;
	set_up(MODEM_CC2530, POLL_STOCK, 50, -60);
	run(5000000);
	all = mean_round_s(60);
	node_power(&node[17], false);
	run(air_now(air) + 10000000);
	one_dead = mean_round_s(60);
	print_message("round of 50 in %.3f s, with a dead unit %.3f s: %+.1f %%\n", all, one_dead,
		      100 * (one_dead / all - 1));
	assert_true(one_dead < 1.05 * all);
	assert_true(poll.unit[17].silent > POLL_SILENT_ROUNDS);
	node_power(&node[17], true);
	run(air_now(air) + 60000000);
	assert_int_equal(poll.unit[17].silent, 0);
}

static void a_modem_that_freezes_is_reset_and_goes_on(void **state)
{
	uint64_t before;

	(void)state;
	set_up(MODEM_CC2530, POLL_STOCK, 4, -60);
	run(5000000);
	modem_fault(&modem, MODEM_FROZEN, true);
	run(15000000);
	assert_true(hard_resets > 0);
	before = poll.rounds;
	run(20000000);
	assert_true(poll.rounds > before + 5);
	modem_fault(&modem, MODEM_GARBAGE, true);
	before = poll.rounds;
	run(25000000);
	assert_true(poll.rounds > before + 5);
	modem_fault(&modem, MODEM_FULL, true);
	run(26000000);
	modem_fault(&modem, MODEM_FULL, false);
	before = poll.rounds;
	run(30000000);
	assert_true(poll.rounds > before + 5);
	check_readings(4);
}

static void an_answer_with_another_serial_number_is_rejected(void **state)
{
	(void)state;
	set_up(MODEM_CC2530, POLL_STOCK, 4, -60);
	serial_of(99, &node[2].state.identity.serial);
	run(6000000);
	assert_int_equal(poll.unit[2].answered, 0);
	assert_true(poll.unit[2].wrong > 0);
	assert_true(poll.unit[2].l2[L2_GRID] == FIELD_ABSENT);
	assert_true(poll.unit[3].answered > 0);
}

static void a_unit_whose_second_fragment_is_lost_is_silent(void **state)
{
	(void)state;
	set_up(MODEM_CC2530, POLL_STOCK, 4, -60);
	node[1].stack.fault_lose_block = true;
	run(10000000);
	assert_int_equal(poll.unit[1].answered, 0);
	assert_true(poll.unit[2].answered > 5);
	node[1].stack.fault_lose_block = false;
	run(30000000);
	assert_true(poll.unit[1].answered > 0);
}

static int tear_down(void **state)
{
	(void)state;
	air_free(air);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_chip_and_kind_reads_all_units),
		cmocka_unit_test(fifty_units_at_five_per_cent_loss_are_read_in_time),
		cmocka_unit_test(a_dead_unit_costs_the_others_little),
		cmocka_unit_test(a_modem_that_freezes_is_reset_and_goes_on),
		cmocka_unit_test(an_answer_with_another_serial_number_is_rejected),
		cmocka_unit_test(a_unit_whose_second_fragment_is_lost_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
