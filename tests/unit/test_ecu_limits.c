// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits: owners, leases, shares, and the loop between desired and actual value, by themselves and
 * with simulated inverters. Tests that replay a report of another project name it.
 */
#include "ecu_bench.h"

static int tear_down(void **state)
{
	(void)state;
	bench_stop();
	return 0;
}

/* ---- pure ---- */

static struct power_limits_entry entry_of(const char *owner, double w, double lease_s)
{
	struct power_limits_entry entry = { .until_us = lease_s > 0 ? (uint64_t)(lease_s * 1e6)
								    : POWER_LIMITS_FOREVER };

	snprintf(entry.shown.owner, sizeof(entry.shown.owner), "%s", owner);
	entry.shown.site = true;
	entry.shown.w = w;
	entry.shown.then_w = (double)NAN;
	return entry;
}

static void put(struct power_limits *limits, struct power_limits_entry entry, int expected)
{
	assert_int_equal(power_limits_put(limits, &entry), expected);
}

/* evcc PR 30053: a program that took its own limit away erased the owner's static 70 %. */
static void an_owner_clears_only_its_own_limit(void **state)
{
	static struct power_limits limits;

	(void)state;
	limits.count = 0;
	put(&limits, entry_of("owner", 700, 0), 1);
	put(&limits, entry_of("modbus-192.0.2.1", 300, 120), 1);
	check_near("lowest", power_limits_site(&limits)->shown.w, 300, 0);
	put(&limits, entry_of("modbus-192.0.2.1", (double)NAN, 0), 1);
	check_near("the owner's", power_limits_site(&limits)->shown.w, 700, 0);
	put(&limits, entry_of("modbus-192.0.2.1", (double)NAN, 0), 0);
	check_near("still the owner's", power_limits_site(&limits)->shown.w, 700, 0);
}

/* evcc issue 25545: a duration of zero meant "expired", or "for ever". Here it is refused. */
static void only_owner_and_installer_may_do_without_a_lease(void **state)
{
	static struct power_limits limits;
	static const struct {
		const char *owner;
		int expected;
	} row[] = { { "owner", 1 },	    { "installer", 1 },	 { "ema", -EINVAL },
		    { "utility", -EINVAL }, { "mqtt", -EINVAL }, { "modbus-::1", -EINVAL } };

	(void)state;
	limits.count = 0;
	for (size_t i = 0; i < COUNT(row); i++) {
		put(&limits, entry_of(row[i].owner, 500, 0), row[i].expected);
	}
}

/* Venus issue 1643: after a lost link a limit stayed, or ended, as it happened to be. */
static void a_lease_ends_in_its_declared_fall_back_in_both_directions(void **state)
{
	static struct power_limits limits;
	struct power_limits_entry loosens = entry_of("utility", 300, 10);
	struct power_limits_entry tightens = entry_of("ema", (double)NAN, 10);

	(void)state;
	limits.count = 0;
	loosens.shown.then_w = 900;
	put(&limits, loosens, 1);
	assert_false(power_limits_expire(&limits, 9999999));
	assert_true(power_limits_expire(&limits, 10000000));
	check_near("loosened", power_limits_site(&limits)->shown.w, 900, 0);
	assert_int_equal(power_limits_next(&limits), POWER_LIMITS_FOREVER);
	/* no limit as long as it is heard, and one when it is not */
	tightens.shown.then_w = 100;
	put(&limits, tightens, 1);
	check_near("while it is heard", power_limits_site(&limits)->shown.w, 900, 0);
	assert_true(power_limits_expire(&limits, 10000000));
	check_near("tightened", power_limits_site(&limits)->shown.w, 100, 0);
}

/* open-dynamic-export issue 75: between two schedules the limit dipped. */
static void a_renewed_lease_leaves_no_gap(void **state)
{
	static struct power_limits limits;

	(void)state;
	limits.count = 0;
	put(&limits, entry_of("ema", 500, 10), 1);
	put(&limits, entry_of("ema", 500, 20), 1);
	assert_false(power_limits_expire(&limits, 10000000));
	check_near("limit", power_limits_site(&limits)->shown.w, 500, 0);
	assert_int_equal(limits.count, 1);
}

static void shares_sum_to_the_limit_and_use_what_others_cannot(void **state)
{
	struct limits_case {
		double w;
		double cap[4];
		double floor;
		double expected[4];
	};
	static const struct limits_case row[] = {
		{ 2000, { 1200, 1200, 1200, 1200 }, 0, { 500, 500, 500, 500 } },
		{ 2000, { 100, 1200, 1200, 1200 }, 0, { 100, 633.33, 633.33, 633.33 } },
		{ 9000, { 1200, 1200, 1200, 1200 }, 0, { 1200, 1200, 1200, 1200 } },
		{ 0, { 1200, 1200, 1200, 1200 }, 0, { 0, 0, 0, 0 } },
		/* below the floor of 80 W each, units stop in their turn */
		{ 200, { 1200, 1200, 1200, 1200 }, 80, { 0, 0, 100, 100 } },
		{ 79, { 1200, 1200, 1200, 1200 }, 80, { 0, 0, 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct power_limits_unit unit[4] = { 0 };
		double sum = 0;

		for (int n = 0; n < 4; n++) {
			unit[n].cap_w = row[i].cap[n];
			unit[n].floor_w = row[i].floor;
		}
		power_limits_share(row[i].w, unit, 4, 0);
		for (int n = 0; n < 4; n++) {
			check_near("share", unit[n].share_w, row[i].expected[n], 0.01);
			sum += unit[n].share_w;
		}
		assert_true(sum <= row[i].w + 1e-6);
	}
}

static void units_below_the_floor_stop_in_rotation(void **state)
{
	int stopped[4] = { 0 };

	(void)state;
	for (int first = 0; first < 4; first++) {
		struct power_limits_unit unit[4] = { 0 };

		for (int n = 0; n < 4; n++) {
			unit[n].cap_w = 1200;
			unit[n].floor_w = 80;
		}
		power_limits_share(250, unit, 4, first);
		for (int n = 0; n < 4; n++) {
			stopped[n] += unit[n].share_w == 0;
		}
	}
	for (int n = 0; n < 4; n++) {
		assert_int_equal(stopped[n], 1);
	}
}

/* ---- with inverters ---- */

static void start(int units, enum model_make make)
{
	bench_start(units, 200, -60, 1);
	for (int i = 0; i < units; i++) {
		bench_know(i, make, make == MAKE_OURS);
	}
	bench_run(5);
}

static double unit_w(int i)
{
	return bench.unit[i].telemetry.p_mw / 1e3;
}

static void a_limit_is_confirmed_by_acknowledgement_and_read_back(void **state)
{
	struct order order;

	(void)state;
	start(2, MAKE_OURS);
	order = bench_order(COMMAND_LIMIT, 0);
	order.w = 300;
	order.lease_s = 600;
	bench_submit(&order);
	bench_run(3);
	assert_int_equal(bench_result(&order)->state, ORDER_CONFIRMED);
	check_near("power", unit_w(0), 300, 1);
	check_near("power of the other", unit_w(1), 764, 1);
	assert_int_equal(bench_shown(0)->limit.confirm, CONFIRM_CONFIRMED);
	assert_string_equal(bench_shown(0)->limit.owner, "owner");
	check_near("read back", bench_shown(0)->limit.actual_w, 300, 0.1);
	assert_true(bench_shown(0)->limit.fallback);
}

static void a_site_limit_is_shared_and_the_lowest_owner_wins(void **state)
{
	struct order site, unit;

	(void)state;
	start(4, MAKE_OURS);
	site = bench_order(COMMAND_LIMIT, -1);
	site.w = 1600;
	bench_submit(&site);
	unit = bench_order(COMMAND_LIMIT, 0);
	unit.role = ROLE_MODBUS;
	unit.interface = INTERFACE_MODBUS;
	strcpy(unit.owner, "modbus-192.0.2.1");
	unit.w = 100;
	unit.lease_s = 120;
	bench_submit(&unit);
	bench_run(5);
	assert_int_equal(bench_result(&site)->state, ORDER_CONFIRMED);
	assert_int_equal(bench_result(&unit)->state, ORDER_CONFIRMED);
	check_near("unit 1", unit_w(0), 100, 1);
	check_near("unit 2", unit_w(1), 400, 1);
	check_near("limit of the site", bench.model->site[READING_SITE_LIMIT].value, 1600, 0);
	assert_string_equal(bench_shown(0)->limit.owner, "modbus-192.0.2.1");
	assert_string_equal(bench_shown(1)->limit.owner, "owner");
	/* the Modbus client's lease ends, and the owner's limit holds */
	bench_run(125);
	check_near("unit 1 after the lease", unit_w(0), 400, 1);
}

static void the_inverter_ends_a_lease_with_the_gateway_dead(void **state)
{
	struct order order;

	(void)state;
	start(1, MAKE_OURS);
	order = bench_order(COMMAND_LIMIT, 0);
	order.w = 300;
	order.then_w = 500;
	order.lease_s = 30;
	bench_submit(&order);
	bench_run(3);
	check_near("limited", unit_w(0), 300, 1);
	core_close(bench.core);
	bench_run(20);
	check_near("still limited", unit_w(0), 300, 1);
	bench_run(10);
	check_near("fall-back", unit_w(0), 500, 1);
}

static bool drop_sealed(uint8_t type, uint8_t *body, size_t n)
{
	(void)body;
	(void)n;
	return type != OWN_SEALED_REPLY;
}

static bool forge_sealed(uint8_t type, uint8_t *body, size_t n)
{
	if (type == OWN_SEALED_REPLY && n > 40) {
		body[30] ^= 1;
	}
	return true;
}

/* "A limit whose acknowledgement was forged or lost stays unconfirmed everywhere." */
static void a_limit_without_a_true_acknowledgement_stays_unconfirmed(void **state)
{
	static bool (*const filters[])(uint8_t type, uint8_t * body, size_t n) = { drop_sealed,
										   forge_sealed };

	(void)state;
	for (size_t i = 0; i < COUNT(filters); i++) {
		struct order order;

		start(1, MAKE_OURS);
		bench.filter = filters[i];
		order = bench_order(COMMAND_LIMIT, 0);
		order.w = 300;
		order.lease_s = 3600;
		bench_submit(&order);
		for (int second = 0; second < 130; second++) {
			bench_run(1);
			assert_int_not_equal(bench_shown(0)->limit.confirm, CONFIRM_CONFIRMED);
		}
		assert_int_equal(bench_result(&order)->state, ORDER_UNCONFIRMED);
		assert_int_equal(bench_shown(0)->limit.confirm, CONFIRM_UNCONFIRMED);
		if (filters[i] == forge_sealed) {
			assert_true(bench_shown(0)->counters.forged > 0);
			assert_true(bench_events(EVENT_FORGED) > 0);
		}
		/* the loop goes on: with true answers the unit confirms */
		bench.filter = NULL;
		bench_run(70);
		assert_int_equal(bench_shown(0)->limit.confirm, CONFIRM_CONFIRMED);
		bench_stop();
	}
}

static int sealed_seen;
static bool count_sealed(uint8_t type, uint8_t *body, size_t n)
{
	(void)body;
	(void)n;
	sealed_seen += type == OWN_SEALED_REPLY;
	return true;
}

/* OpenDTU issues 1088, 1468: a flood of limits made inverters stop answering. */
static void a_flood_of_limits_is_coalesced_and_equal_ones_are_not_sent(void **state)
{
	uint64_t before;

	(void)state;
	start(2, MAKE_OURS);
	sealed_seen = 0;
	bench.filter = count_sealed;
	before = bench_shown(1)->counters.replies;
	for (int i = 0; i < 100; i++) {
		struct order order = bench_order(COMMAND_LIMIT, 0);

		order.w = 200 + i;
		order.lease_s = 3600;
		bench_submit(&order);
		bench_run(0.01);
	}
	bench_run(4);
	check_near("the newest is in force", unit_w(0), 299, 1);
	/* one exchange of a command takes 0.15 s and more */
	print_message("100 limits in a second: %d commands sent\n", sealed_seen);
	assert_true(sealed_seen <= 15);
	assert_true(bench_shown(1)->counters.replies >= before + 4);
	sealed_seen = 0;
	for (int i = 0; i < 20; i++) {
		struct order order = bench_order(COMMAND_LIMIT, 0);

		order.w = 299;
		order.lease_s = 3600;
		bench_submit(&order);
		bench_run(0.05);
	}
	/* its lease is longer now, and that is sent once */
	assert_true(sealed_seen <= 1);
	assert_int_equal(bench_shown(0)->limit.confirm, CONFIRM_CONFIRMED);
}

/* OnBattery issue 1750: one inverter was stuck, the other at full power. */
static void a_unit_that_loses_its_limit_gets_it_again(void **state)
{
	struct order order;

	(void)state;
	start(2, MAKE_OURS);
	order = bench_order(COMMAND_LIMIT, -1);
	order.w = 600;
	bench_submit(&order);
	bench_run(5);
	check_near("unit 1", unit_w(0), 300, 1);
	/* somebody at the unit takes all limits away */
	bench.unit[0].policy.limits.count = 0;
	bench_run(10);
	check_near("unit 1 again", unit_w(0), 300, 1);
	check_near("unit 2", unit_w(1), 300, 1);
	assert_int_equal(bench_shown(0)->limit.confirm, CONFIRM_CONFIRMED);
}

static void a_unit_of_another_gateway_is_said_to_be_so(void **state)
{
	struct order order;

	(void)state;
	start(1, MAKE_OURS);
	memset(bench.unit[0].policy.kept.key, 0x55, sizeof(bench.unit[0].policy.kept.key));
	order = bench_order(COMMAND_LIMIT, 0);
	order.w = 300;
	order.lease_s = 600;
	bench_submit(&order);
	bench_run(5);
	assert_int_equal(bench_shown(0)->limit.confirm, CONFIRM_REFUSED);
	assert_int_equal(bench_result(&order)->state, ORDER_REFUSED);
	assert_true(bench_events(EVENT_FOREIGN) >= 1);
	check_near("power", unit_w(0), 764, 1);
}

static void a_stop_is_0_w_of_an_owner_and_start_removes_only_ones_own(void **state)
{
	struct order stop, other, start_order;

	(void)state;
	start(1, MAKE_OURS);
	stop = bench_order(COMMAND_STOP, 0);
	bench_submit(&stop);
	other = bench_order(COMMAND_STOP, 0);
	other.role = ROLE_EMA;
	other.interface = INTERFACE_UPLINK;
	strcpy(other.owner, "ema");
	other.lease_s = 3600;
	bench_submit(&other);
	bench_run(4);
	check_near("stopped", unit_w(0), 0, 1);
	start_order = bench_order(COMMAND_START, 0);
	bench_submit(&start_order);
	bench_run(4);
	check_near("the other's stop holds", unit_w(0), 0, 1);
	assert_string_equal(bench_shown(0)->limit.owner, "ema");
	start_order = bench_order(COMMAND_START, 0);
	start_order.role = ROLE_EMA;
	start_order.interface = INTERFACE_UPLINK;
	strcpy(start_order.owner, "ema");
	bench_submit(&start_order);
	bench_run(4);
	check_near("started", unit_w(0), 764, 1);
}

static void stock_units_get_one_limit_a_minute(void **state)
{
	int commands = 0;
	double last_w = 764;

	(void)state;
	start(1, MAKE_STOCK);
	for (int i = 0; i < 200; i++) {
		struct order order = bench_order(COMMAND_LIMIT, 0);

		order.w = 300 + i;
		order.lease_s = 3600;
		bench_submit(&order);
		bench_run(1);
		if (fabs(unit_w(0) - last_w) > 0.5) {
			commands++;
			last_w = unit_w(0);
		}
	}
	print_message("200 limits in 200 s: %d reached the unit\n", commands);
	assert_true(commands >= 3 && commands <= 4);
	assert_false(bench_shown(0)->limit.fallback);
}

static void a_replaced_unit_gives_nothing_until_it_is_confirmed(void **state)
{
	struct order order;
	uint8_t code[INSTALL_CODE_BYTES];
	struct serial serial;
	uint8_t modbus_unit;

	(void)state;
	bench_start(2, 200, -60, 1);
	bench_know(0, MAKE_OURS, true);
	bench_run(60);
	modbus_unit = bench_shown(0)->modbus_unit;
	order = bench_order(COMMAND_REPLACE, 0);
	bench_serial(1, &serial);
	bench_code(1, code);
	label_format(order.text, &serial, code);
	strcpy(order.rma, "RMA-1");
	bench_submit(&order);
	bench_run(10);
	assert_int_equal(bench_result(&order)->state, ORDER_CONFIRMED);
	assert_null(bench_shown(0));
	assert_non_null(bench_shown(1));
	assert_int_equal(bench_shown(1)->modbus_unit, modbus_unit);
	assert_string_equal(bench_shown(1)->rma, "RMA-1");
	check_near("power", unit_w(1), 0, 1);
	/* the energy of the site goes on */
	assert_true(bench.model->site[READING_SITE_ENERGY].value > 10);
	order = bench_order(COMMAND_CONFIRM, 1);
	bench_submit(&order);
	bench_run(4);
	check_near("confirmed", unit_w(1), 764, 1);
}

static void a_ground_fault_alarms_until_it_is_cleared(void **state)
{
	struct order order;
	int before;

	(void)state;
	start(1, MAKE_OURS);
	steady_ground(&bench.steady[0], true);
	bench_run(3);
	assert_int_equal(bench_events(EVENT_GROUND_FAULT), 1);
	bench_run(610);
	assert_int_equal(bench_events(EVENT_GROUND_FAULT), 3);
	order = bench_order(COMMAND_CLEAR, 0);
	strcpy(order.text, "gfdi");
	bench_submit(&order);
	bench_run(5);
	/* the cause is there */
	assert_int_equal(bench_result(&order)->state, ORDER_REFUSED);
	steady_ground(&bench.steady[0], false);
	order = bench_order(COMMAND_CLEAR, 0);
	strcpy(order.text, "gfdi");
	bench_submit(&order);
	bench_run(5);
	assert_int_equal(bench_result(&order)->state, ORDER_CONFIRMED);
	before = bench_events(EVENT_GROUND_FAULT);
	bench_run(400);
	assert_int_equal(bench_events(EVENT_GROUND_FAULT), before);
	assert_int_equal(bench_events(EVENT_FAULT_ENDED), 1);
}

static void a_stock_units_ground_fault_cannot_be_cleared_and_says_why(void **state)
{
	struct order order;

	(void)state;
	start(1, MAKE_STOCK);
	order = bench_order(COMMAND_CLEAR, 0);
	strcpy(order.text, "gfdi");
	bench_submit(&order);
	assert_int_equal(bench_result(&order)->state, ORDER_REFUSED);
	assert_non_null(strstr(bench_result(&order)->message, "no public source"));
}

static void a_profile_is_put_in_force_by_name(void **state)
{
	struct order order;

	(void)state;
	start(1, MAKE_OURS);
	order = bench_order(COMMAND_PROFILE, 0);
	order.role = ROLE_INSTALLER;
	strcpy(order.text, "note1");
	bench_submit(&order);
	bench_run(5);
	print_message("%s\n", bench_result(&order)->message);
	assert_int_equal(bench_result(&order)->state, ORDER_CONFIRMED);
	assert_string_equal(bench.unit[0].policy.kept.profile.name, "note1");
	assert_string_equal(bench_shown(0)->profile, "note1");
}

static void the_grid_parameters_are_read_back(void **state)
{
	const int32_t *in_force = bench.unit[0].policy.kept.profile.value;
	struct order order;

	(void)state;
	start(1, MAKE_OURS);
	bench_run(5);
	assert_true(bench_shown(0)->params_ms > 0);
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (qs1_param_desc(id)->group == QS1_PARAM_GROUP_PROFILE &&
		    bench_shown(0)->param[id] != in_force[id]) {
			fail_msg("%s: expected %d, found %d", qs1_param_desc(id)->name,
				 in_force[id], bench_shown(0)->param[id]);
		}
	}
	/* After a command that changes the parameters, they are unknown until they are read back.
	 */
	order = bench_order(COMMAND_PROFILE, 0);
	order.role = ROLE_INSTALLER;
	strcpy(order.text, "note1");
	bench_submit(&order);
	bench_run(10);
	assert_int_equal(bench_shown(0)->param[QS1_PARAM_UV1_T_S], 100);
	assert_true(bench_shown(0)->params_ms > order.issued_ms);
}

static void a_stock_unit_has_no_grid_parameters_to_read(void **state)
{
	(void)state;
	start(1, MAKE_STOCK);
	bench_run(30);
	assert_int_equal(bench_shown(0)->params_ms, 0);
}

/* ---- orders ---- */

static void an_order_is_checked_for_right_age_scope_and_arguments(void **state)
{
	static const struct {
		enum order_command command;
		unsigned int role;
		unsigned int interface;
		const char *owner;
		bool site;
		double w;
		uint32_t lease_s;
		int64_t age_s;
		int expected;
	} row[] = {
		{ COMMAND_LIMIT, ROLE_OWNER, INTERFACE_REST, "owner", false, 600, 0, 0, 0 },
		{ COMMAND_LIMIT, ROLE_VIEWER, INTERFACE_REST, "owner", false, 600, 0, 0, -EPERM },
		{ COMMAND_LIMIT, ROLE_OWNER, INTERFACE_REST, "installer", false, 600, 0, 0,
		  -EPERM },
		{ COMMAND_LIMIT, ROLE_MODBUS, INTERFACE_MODBUS, "modbus-1", false, 600, 0, 0,
		  -EINVAL },
		{ COMMAND_LIMIT, ROLE_MODBUS, INTERFACE_MODBUS, "modbus-1", false, 600, 120, 0, 0 },
		{ COMMAND_LIMIT, ROLE_MODBUS, INTERFACE_MODBUS, "ema", false, 600, 120, 0, -EPERM },
		{ COMMAND_LIMIT, ROLE_OWNER, INTERFACE_REST, "owner", false, 1201, 0, 0, -EINVAL },
		{ COMMAND_LIMIT, ROLE_OWNER, INTERFACE_REST, "owner", false, -1, 0, 0, -EINVAL },
		{ COMMAND_LIMIT, ROLE_OWNER, INTERFACE_REST, "Owner", false, 600, 0, 0, -EINVAL },
		{ COMMAND_LIMIT, ROLE_EMA, INTERFACE_UPLINK, "ema", true, 600, 60, 119, 0 },
		/* OpenDTU issue 592: old commands were replayed */
		{ COMMAND_LIMIT, ROLE_EMA, INTERFACE_UPLINK, "ema", true, 600, 60, 121, -ETIME },
		{ COMMAND_LIMIT, ROLE_EMA, INTERFACE_UPLINK, "ema", true, 600, 60, -121, -ETIME },
		{ COMMAND_PROFILE, ROLE_OWNER, INTERFACE_REST, "owner", false, 0, 0, 0, -EPERM },
		{ COMMAND_PAIR, ROLE_MODBUS, INTERFACE_MODBUS, "modbus-1", false, 0, 0, 0, -EPERM },
		{ COMMAND_IDENTIFY, ROLE_OWNER, INTERFACE_REST, "owner", true, 0, 0, 0, -EXDEV },
		{ COMMAND_CADENCE, ROLE_OWNER, INTERFACE_REST, "owner", true, 0.5, 0, 0, -EINVAL },
		{ COMMAND_CADENCE, ROLE_OWNER, INTERFACE_REST, "owner", true, 5, 0, 0, 0 },
		{ COMMAND_COUNT, ROLE_OWNER, INTERFACE_REST, "owner", true, 5, 0, 0, -EINVAL },
	};
	char text[ORDER_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct order order;

		order_init(&order, row[i].command, BENCH_START_MS - row[i].age_s * 1000);
		order.role = row[i].role;
		order.interface = row[i].interface;
		strcpy(order.owner, row[i].owner);
		order.site = row[i].site;
		order.w = row[i].w;
		order.lease_s = row[i].lease_s;
		strcpy(order.text, "note1");
		if (order_check(&order, BENCH_START_MS, text, sizeof(text)) != row[i].expected) {
			fail_msg("row %zu: %s", i, text);
		}
	}
}

static void a_text_that_is_missing_is_named(void **state)
{
	static const struct {
		enum order_command command;
		const char *expected;
	} row[] = {
		{ COMMAND_PAIR, "expected label" },
		{ COMMAND_REPLACE, "expected label" },
		{ COMMAND_PROFILE, "expected name" },
	};
	char text[ORDER_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct order order;

		order_init(&order, row[i].command, BENCH_START_MS);
		order.role = ROLE_INSTALLER;
		order.interface = INTERFACE_REST;
		assert_int_equal(order_check(&order, BENCH_START_MS, text, sizeof(text)), -EINVAL);
		assert_string_equal(text, row[i].expected);
	}
}

static void the_same_order_twice_is_one(void **state)
{
	struct order first, again;

	(void)state;
	start(1, MAKE_OURS);
	first = bench_order(COMMAND_LIMIT, 0);
	strcpy(first.key, "ema-1");
	first.w = 300;
	bench_submit(&first);
	bench_run(3);
	again = bench_order(COMMAND_LIMIT, 0);
	strcpy(again.key, "ema-1");
	again.w = 900;
	bench_submit(&again);
	bench_run(3);
	assert_int_equal(bench_result(&again)->state, ORDER_REFUSED);
	check_near("power", unit_w(0), 300, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_that_is_missing_is_named),
		cmocka_unit_test(an_owner_clears_only_its_own_limit),
		cmocka_unit_test(only_owner_and_installer_may_do_without_a_lease),
		cmocka_unit_test(a_lease_ends_in_its_declared_fall_back_in_both_directions),
		cmocka_unit_test(a_renewed_lease_leaves_no_gap),
		cmocka_unit_test(shares_sum_to_the_limit_and_use_what_others_cannot),
		cmocka_unit_test(units_below_the_floor_stop_in_rotation),
		TEST(a_limit_is_confirmed_by_acknowledgement_and_read_back),
		TEST(a_site_limit_is_shared_and_the_lowest_owner_wins),
		TEST(the_inverter_ends_a_lease_with_the_gateway_dead),
		TEST(a_limit_without_a_true_acknowledgement_stays_unconfirmed),
		TEST(a_flood_of_limits_is_coalesced_and_equal_ones_are_not_sent),
		TEST(a_unit_that_loses_its_limit_gets_it_again),
		TEST(a_unit_of_another_gateway_is_said_to_be_so),
		TEST(a_stop_is_0_w_of_an_owner_and_start_removes_only_ones_own),
		TEST(stock_units_get_one_limit_a_minute),
		TEST(a_replaced_unit_gives_nothing_until_it_is_confirmed),
		TEST(a_ground_fault_alarms_until_it_is_cleared),
		TEST(a_stock_units_ground_fault_cannot_be_cleared_and_says_why),
		TEST(a_profile_is_put_in_force_by_name),
		TEST(the_grid_parameters_are_read_back),
		TEST(a_stock_unit_has_no_grid_parameters_to_read),
		cmocka_unit_test(an_order_is_checked_for_right_age_scope_and_arguments),
		TEST(the_same_order_twice_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
