// SPDX-License-Identifier: GPL-2.0-or-later
/* The gateway's radio and plan against simulated inverters on the simulated air. */
#include "ecu_bench.h"

static int tear_down(void **state)
{
	(void)state;
	bench_stop();
	return 0;
}

/* Order the pairing of unit 0 with the install code of unit @i. */
static struct order pair_with_code_of(int i)
{
	struct order order;
	uint8_t code[INSTALL_CODE_BYTES];

	bench_start(1, 200, -60, 1);
	bench_run(3);
	order = bench_order(COMMAND_PAIR, 0);
	bench_code(i, code);
	label_format(order.text, &order.serial, code);
	bench_submit(&order);
	bench_run(5);
	return order;
}

static void a_label_pairs_a_unit_and_its_readings_come(void **state)
{
	struct order order = pair_with_code_of(0);

	(void)state;
	assert_int_equal(bench_result(&order)->state, ORDER_CONFIRMED);
	assert_true(bench_shown(0)->paired);
	assert_true(bench.core->unit[0].has_key);
	check_near("power", bench_shown(0)->reading[READING_POWER][0].value, 764, 1);
	assert_int_equal(bench_shown(0)->link, LINK_LIVE);
}

static void a_wrong_code_is_named_and_the_unit_is_read_all_the_same(void **state)
{
	struct order order = pair_with_code_of(7);

	(void)state;
	assert_int_equal(bench_result(&order)->state, ORDER_REFUSED);
	assert_string_equal(bench_result(&order)->message,
			    "the install code is not that of this inverter's label");
	assert_false(bench_shown(0)->paired);
	check_near("power", bench_shown(0)->reading[READING_POWER][0].value, 764, 1);
	/* nothing keeps the code */
	assert_null(strstr(bench_result(&order)->text, "0808"));
}

/* Boot nonce and counter come with the first status: commands wait for it. */
static void commands_wait_for_the_first_status(void **state)
{
	struct order order;

	(void)state;
	bench_start(1, 200, -60, 1);
	bench_know(0, MAKE_OURS, true);
	order = bench_order(COMMAND_CLEAR, 0);
	strcpy(order.text, "gfdi");
	bench_submit(&order);
	core_params_want(bench.core, 0);
	bench_run(30);
	assert_true(order_state_is_final(bench_result(&order)->state));
	assert_true(bench_shown(0)->params_ms > 0);
	assert_string_equal(bench_shown(0)->params_error, "");
}

/* A signed job has up to 100 labels, and then commissions. */
static void a_hundred_pairings_at_once_are_followed(void **state)
{
	struct order pair[100], commission;

	(void)state;
	bench_start(1, 200, -60, 1);
	bench_run(3);
	for (size_t i = 0; i < ARRAY_SIZE(pair); i++) {
		pair[i] = bench_order(COMMAND_PAIR, 0);
		snprintf(pair[i].text, sizeof(pair[i].text), "8061%08zu", i + 1);
		bench_submit(&pair[i]);
	}
	commission = bench_order(COMMAND_COMMISSION, -1);
	commission.site = true;
	bench_submit(&commission);
	for (size_t i = 0; i < ARRAY_SIZE(pair); i++) {
		assert_int_equal(bench_result(&pair[i])->number, pair[i].number);
		assert_false(order_state_is_final(bench_result(&pair[i])->state));
	}
	assert_false(order_state_is_final(bench_result(&commission)->state));
}

/* A site without inverters is never "0 of 0 inverters confirmed". */
static void commissioning_nothing_is_refused_and_the_service_waits(void **state)
{
	struct order person, service, pair;

	(void)state;
	bench_start(1, 200, -60, 1);
	bench_run(3);
	person = bench_order(COMMAND_COMMISSION, -1);
	person.site = true;
	service = person;
	service.role = ROLE_EMA;
	service.interface = INTERFACE_UPLINK;
	for (int i = 0; i < 2; i++) {
		person.w = i ? 0 : (double)NAN;
		bench_submit(&person);
		assert_int_equal(bench_result(&person)->state, ORDER_REFUSED);
		assert_non_null(strstr(bench_result(&person)->message, "nothing to commission"));
	}
	service.w = 0;
	bench_submit(&service);
	assert_false(order_state_is_final(bench_result(&service)->state));
	assert_string_equal(bench_result(&service)->message, "0 of 1 inverters confirmed");
	pair = bench_order(COMMAND_PAIR, 0);
	serial_format(pair.text, &pair.serial);
	bench_submit(&pair);
	bench_run(20);
	assert_int_equal(bench_result(&service)->state, ORDER_CONFIRMED);
	assert_string_equal(bench_result(&service)->message, "1 of 1 inverters confirmed");
}

static void a_serial_number_alone_finds_a_unit_of_ours_for_reading(void **state)
{
	struct order order;

	(void)state;
	bench_start(1, 200, -60, 1);
	bench_run(3);
	order = bench_order(COMMAND_PAIR, 0);
	serial_format(order.text, &order.serial);
	bench_submit(&order);
	bench_run(5);
	assert_int_equal(bench_result(&order)->state, ORDER_CONFIRMED);
	assert_int_equal(bench_shown(0)->make, MAKE_OURS);
	assert_false(bench_shown(0)->paired);
	check_near("power", bench_shown(0)->reading[READING_POWER][0].value, 764, 1);
}

static void stock_units_are_read_too(void **state)
{
	(void)state;
	bench_start(5, 100, -60, 1);
	for (int i = 0; i < 5; i++) {
		bench_know(i, MAKE_STOCK, false);
	}
	bench_run(12);
	for (int i = 0; i < 5; i++) {
		const struct model_unit *unit = bench_shown(i);

		assert_int_equal(unit->link, LINK_LIVE);
		assert_true(unit->counters.replies >= 8);
		check_near("power of a module", unit->reading[READING_DC_P][0].value, 100, 1);
		check_near("AC power", unit->reading[READING_POWER][0].value,
			   400 * MODEL_STOCK_EFFICIENCY, 4);
		assert_string_equal(unit->firmware, "1.0");
	}
}

/* Order the pairing of unit 0, which is in the network @pan, by its serial number as a stock unit.
 */
static struct order pair_stock(uint16_t pan, int64_t window_ms)
{
	struct air_radio_config radio;
	struct order order;

	bench_start(2, 200, -60, 1);
	radio = *air_configuration(bench.air, bench.unit[0].node.stack.radio);
	radio.pan = pan;
	air_configure(bench.air, bench.unit[0].node.stack.radio, &radio);
	bench.unit[0].config.stock_ms = window_ms;
	bench_run(3);
	order = bench_order(COMMAND_PAIR, 0);
	serial_format(order.text, &order.serial);
	bench_submit(&order);
	bench_run(60);
	return order;
}

/* The unit goes over to the gateway's network, and answers there; then it is read and limited. */
static void the_stock_pairing_takes_a_unit_from_another_network(void **state)
{
	struct order order = pair_stock(0xbeef, INT64_MAX);
	struct order limit;

	(void)state;
	assert_int_equal(bench_result(&order)->state, ORDER_CONFIRMED);
	assert_int_equal(air_configuration(bench.air, bench.unit[0].node.stack.radio)->pan,
			 join_pan(bench_ecu));
	assert_int_equal(bench_shown(0)->make, MAKE_STOCK);
	assert_int_equal(bench_shown(0)->address, 0x1001);
	assert_int_equal(bench_shown(0)->link, LINK_LIVE);
	limit = bench_order(COMMAND_LIMIT, 0);
	limit.w = 400;
	bench_submit(&limit);
	bench_run(70);
	assert_int_equal(bench_result(&limit)->state, ORDER_CONFIRMED);
	check_near("power", bench_shown(0)->reading[READING_POWER][0].value, 400, 8);
}

static void a_unit_whose_owner_does_not_allow_it_stays_where_it_is(void **state)
{
	struct order order = pair_stock(0xbeef, 0);

	(void)state;
	assert_int_not_equal(bench_result(&order)->state, ORDER_CONFIRMED);
	assert_int_equal(air_configuration(bench.air, bench.unit[0].node.stack.radio)->pan, 0xbeef);
	assert_int_equal(bench_shown(0)->link, LINK_NEW);
}

/* Ages of the readings of all units, sampled each 100 ms. */
static uint32_t ages[1000];
static uint64_t age_samples, next_age_us;

static void sample_ages(uint64_t now_us)
{
	int64_t now_ms = BENCH_START_MS + (int64_t)(now_us / 1000);

	if (now_us < next_age_us) {
		return;
	}
	next_age_us = now_us + 100000;
	for (int i = 0; i < bench.model->units; i++) {
		int64_t age_ms = now_ms - bench.model->unit[i].reading[READING_POWER][0].time_ms;

		if (bench.dead[i]) {
			continue;
		}
		ages[age_ms / 100 < 999 ? age_ms / 100 : 999]++;
		age_samples++;
	}
}

static double age_s(double share)
{
	uint64_t count = 0;

	for (int i = 0; i < 1000; i++) {
		count += ages[i];
		if ((double)count >= share * (double)age_samples) {
			return (i + 1) / 10.0;
		}
	}
	return 100;
}

static void measure_ages(double seconds)
{
	memset(ages, 0, sizeof(ages));
	age_samples = 0;
	next_age_us = 0;
	bench.each_step = sample_ages;
	bench_run(seconds);
	bench.each_step = NULL;
}

/* A level at which one frame in fifteen is lost; the air's own counters say how many. */
#define WEAK_DBM (-97.6)

/* Ages of the readings of fifty units. Return: the 95th percentile, s. */
static double measure_fifty(double cadence_s)
{
	const struct air_count *count;
	double loss;

	bench_start(50, 200, WEAK_DBM, cadence_s);
	for (int i = 0; i < 50; i++) {
		bench_know(i, MAKE_OURS, true);
	}
	bench_run(30);
	measure_ages(120);
	count = air_count(bench.air, bench.modem.stack.radio);
	loss = (double)count->damaged / (double)(count->damaged + count->received);
	print_message("cadence %.0f s, loss of frames %.1f %%, age of a reading: median %.1f s, "
		      "95th percentile %.1f s, 99th %.1f s\n",
		      cadence_s, loss * 100, age_s(0.5), age_s(0.95), age_s(0.99));
	assert_true(loss > 0.04);
	return age_s(0.95);
}

static void fifty_units_at_5_percent_loss_are_at_most_5_s_old(void **state)
{
	(void)state;
	assert_true(measure_fifty(4) <= 5);
}

static void at_the_default_cadence_too(void **state)
{
	(void)state;
	assert_true(measure_fifty(5) <= 5);
}

static double rate_of_replies(int dead, double seconds)
{
	uint64_t before = 0, after = 0;

	for (int i = 0; i < bench.model->units; i++) {
		before += i == dead ? 0 : bench.model->unit[i].counters.replies;
	}
	bench_run(seconds);
	for (int i = 0; i < bench.model->units; i++) {
		after += i == dead ? 0 : bench.model->unit[i].counters.replies;
	}
	return (double)(after - before) / seconds;
}

/* OpenDTU issue 547: eight dead units made two live ones wait for minutes. */
static void one_dead_unit_costs_the_others_less_than_5_percent(void **state)
{
	double all, with_dead;

	(void)state;
	/* a cadence that the radio cannot keep, so that each lost millisecond shows */
	bench_start(30, 200, -60, 1);
	for (int i = 0; i < 30; i++) {
		bench_know(i, MAKE_OURS, true);
	}
	bench_run(20);
	all = rate_of_replies(7, 60);
	bench_kill(7, true);
	with_dead = rate_of_replies(7, 60);
	print_message("replies of the others: %.2f a second, with a dead unit %.2f\n", all,
		      with_dead);
	assert_true(with_dead > 0.95 * all);
}

static void dead_units_do_not_starve_the_live_ones(void **state)
{
	(void)state;
	bench_start(10, 200, -60, 1);
	for (int i = 0; i < 10; i++) {
		bench_know(i, MAKE_OURS, true);
	}
	bench_run(10);
	for (int i = 2; i < 10; i++) {
		bench_kill(i, true);
	}
	measure_ages(120);
	print_message("two live of ten: age at most %.1f s\n", age_s(1));
	assert_true(age_s(1) <= 2.5);
	for (int i = 2; i < 10; i++) {
		assert_int_equal(bench_shown(i)->link, LINK_LOST);
		assert_true(isnan(bench_shown(i)->reading[READING_POWER][0].value));
	}
	assert_int_equal(bench_events(EVENT_UNIT_LOST), 8);
}

/* Z-Stack-firmware issue 232: the chip freezes until its reset line is pulled. */
static void a_frozen_modem_is_reset_by_its_line(void **state)
{
	(void)state;
	bench_start(3, 200, -60, 1);
	for (int i = 0; i < 3; i++) {
		bench_know(i, MAKE_OURS, true);
	}
	bench_run(10);
	modem_fault(&bench.modem, MODEM_FROZEN, true);
	bench_run(15);
	assert_true(bench.hard_resets >= 1);
	assert_true(bench.model->radio.up);
	assert_int_equal(bench_events(EVENT_RADIO_DOWN), 1);
	measure_ages(10);
	assert_true(age_s(1) <= 2);
}

static void a_modem_with_faults_is_used_all_the_same(void **state)
{
	static const enum modem_fault faults[] = { MODEM_LATE, MODEM_GARBAGE };

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		bench_start(5, 200, -60, 1);
		for (int n = 0; n < 5; n++) {
			bench_know(n, MAKE_OURS, true);
		}
		bench_run(5);
		modem_fault(&bench.modem, faults[i], true);
		bench_run(20);
		for (int n = 0; n < 5; n++) {
			assert_int_equal(bench_shown(n)->link, LINK_LIVE);
			assert_true(bench_shown(n)->counters.replies > 15);
			assert_int_equal(bench_shown(n)->counters.refused, 0);
		}
		bench_stop();
	}
}

static void each_chip_reads_both_makes(void **state)
{
	(void)state;
	for (int chip = MODEM_CC2530; chip <= MODEM_CC2652; chip++) {
		for (int make = 0; make < MAKE_COUNT; make++) {
			bench_start_chip(chip, 8, 150, -60, 1);
			for (int i = 0; i < 8; i++) {
				bench_know(i, make, false);
			}
			bench_run(8);
			for (int i = 0; i < 8; i++) {
				check_near("power of a module",
					   bench_shown(i)->reading[READING_DC_P][3].value, 150, 1);
			}
			assert_int_equal(bench.model->radio.resets, 1);
			bench_stop();
		}
	}
}

static void an_answer_with_another_serial_number_is_rejected(void **state)
{
	(void)state;
	for (int make = 0; make < MAKE_COUNT; make++) {
		bench_start(3, 200, -60, 1);
		for (int i = 0; i < 3; i++) {
			bench_know(i, make, false);
		}
		bench_serial(40, &bench.unit[1].node.state.identity.serial);
		bench_run(10);
		assert_int_equal(bench_shown(1)->counters.replies, 0);
		assert_true(isnan(bench_shown(1)->reading[READING_POWER][0].value));
		assert_true(bench.core->radio.refused > 0);
		assert_true(bench_shown(2)->counters.replies > 5);
		bench_stop();
	}
}

static void a_stock_unit_whose_second_fragment_is_lost_is_silent_until_it_comes(void **state)
{
	(void)state;
	bench_start(3, 200, -60, 1);
	for (int i = 0; i < 3; i++) {
		bench_know(i, MAKE_STOCK, false);
	}
	bench.unit[1].node.stack.fault_lose_block = true;
	bench_run(15);
	assert_int_equal(bench_shown(1)->counters.replies, 0);
	assert_true(bench_shown(2)->counters.replies > 8);
	bench.unit[1].node.stack.fault_lose_block = false;
	bench_run(60);
	assert_int_equal(bench_shown(1)->link, LINK_LIVE);
}

static void a_modem_whose_buffers_are_full_is_given_time(void **state)
{
	uint64_t before[3];

	(void)state;
	bench_start(3, 200, -60, 1);
	for (int i = 0; i < 3; i++) {
		bench_know(i, MAKE_OURS, true);
	}
	bench_run(5);
	for (int i = 0; i < 3; i++) {
		before[i] = bench_shown(i)->counters.timeouts;
	}
	modem_fault(&bench.modem, MODEM_FULL, true);
	bench_run(5);
	/* what the modem did not take is no failure of a unit */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(bench_shown(i)->counters.timeouts, before[i]);
	}
	modem_fault(&bench.modem, MODEM_FULL, false);
	measure_ages(10);
	assert_true(age_s(1) <= 7);
}

static void at_most_two_requests_are_with_the_modem(void **state)
{
	(void)state;
	bench_start(20, 200, -60, 1);
	for (int i = 0; i < 20; i++) {
		bench_know(i, MAKE_OURS, true);
	}
	for (int i = 0; i < 3000; i++) {
		int busy = 0;

		bench_run(0.01);
		for (int n = 0; n < 20; n++) {
			busy += bench.core->radio.unit[n].on_modem;
		}
		assert_true(busy <= PLAN_OUTSTANDING);
	}
	assert_int_equal(bench.modem.refused, 0);
}

/* Ahoy issue 1599: two gateways disturb each other, and nobody says so. */
static void another_coordinator_on_the_channel_is_named(void **state)
{
	struct mac_frame mac = {
		.type = MAC_BEACON,
		.src = { MAC_MODE_SHORT, 0xbeef, 0x0000 },
		.payload = (const uint8_t[]){ 0xff, 0xcf, 0x00, 0x00 },
		.n = 4,
	};
	const struct air_radio_config other = { .channel = BENCH_CHANNEL, .promiscuous = true };
	uint8_t frame[MAC_FRAME_MAX];
	int radio, n;

	(void)state;
	bench_start(1, 200, -60, 1);
	radio = air_add(bench.air, &other, NULL, NULL);
	air_level(bench.air, radio, 0, -70);
	for (int i = 0; i < 620; i++) {
		mac.seq = (uint8_t)i;
		n = mac_build(&mac, frame, sizeof(frame));
		air_send(bench.air, radio, frame, (size_t)n);
		bench_run(1);
	}
	assert_int_equal(bench.model->radio.foreign_pan, 0xbeef);
	assert_int_equal(bench_events(EVENT_FOREIGN), 1);
}

static void a_unit_with_another_address_is_found_again(void **state)
{
	struct air_radio_config config;

	(void)state;
	bench_start(2, 200, -60, 1);
	bench_know(0, MAKE_OURS, true);
	bench_know(1, MAKE_OURS, true);
	bench_run(5);
	config = *air_configuration(bench.air, bench.unit[0].node.stack.radio);
	config.address = 0x4321;
	air_configure(bench.air, bench.unit[0].node.stack.radio, &config);
	bench_run(20);
	assert_int_equal(bench_shown(0)->address, 0x4321);
	assert_int_equal(bench_shown(0)->link, LINK_LIVE);
	assert_true(bench.core->unit[0].has_key);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_label_pairs_a_unit_and_its_readings_come),
		TEST(a_wrong_code_is_named_and_the_unit_is_read_all_the_same),
		TEST(commands_wait_for_the_first_status),
		TEST(a_hundred_pairings_at_once_are_followed),
		TEST(commissioning_nothing_is_refused_and_the_service_waits),
		TEST(a_serial_number_alone_finds_a_unit_of_ours_for_reading),
		TEST(stock_units_are_read_too),
		TEST(the_stock_pairing_takes_a_unit_from_another_network),
		TEST(a_unit_whose_owner_does_not_allow_it_stays_where_it_is),
		TEST(fifty_units_at_5_percent_loss_are_at_most_5_s_old),
		TEST(at_the_default_cadence_too),
		TEST(one_dead_unit_costs_the_others_less_than_5_percent),
		TEST(dead_units_do_not_starve_the_live_ones),
		TEST(a_frozen_modem_is_reset_by_its_line),
		TEST(a_modem_with_faults_is_used_all_the_same),
		TEST(each_chip_reads_both_makes),
		TEST(an_answer_with_another_serial_number_is_rejected),
		TEST(a_stock_unit_whose_second_fragment_is_lost_is_silent_until_it_comes),
		TEST(a_modem_whose_buffers_are_full_is_given_time),
		TEST(at_most_two_requests_are_with_the_modem),
		TEST(another_coordinator_on_the_channel_is_named),
		TEST(a_unit_with_another_address_is_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
