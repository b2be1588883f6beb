# SPDX-License-Identifier: GPL-2.0-only
#
# make test: static checks, unit tests, closed-loop tests, the Cortex-M4 image
# and the virtual board, through one runner.

UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/%)
UNIT_LIBS = $(SIM_LIBS) $(HOST_CORE)

$(BUILD)/tests/%: tests/unit/%.c $(UNIT_LIBS)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) $(FEEDER_INCLUDES) -Iuserspace/qs1d -Iuserspace/vboard -MMD -MP -o $@ $< \
		-Wl,--start-group $(UNIT_LIBS) -Wl,--end-group -lcmocka -ljson-c -lm

$(BUILD)/tests/test_calibration: tests/unit/test_calibration.c firmware/hal/ti/calibrate.c $(UNIT_LIBS) \
		| $(M4)/qs1-am57xx.elf $(M4)/qs1-m4.elf
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) -Ifirmware/core -Ifirmware/hal/ti -Iuserspace/lib -MMD -MP -o $@ \
		$< firmware/hal/ti/calibrate.c $(BUILD)/host/libqs1user.a -lcmocka -lm

# Real boards' registers are models there: the HAL is compiled with each test, for those.
HAL_pwm := ti/pwm.c
HAL_adc := ti/adc.c ti/frame.c ti/watchdog.c
HAL_board := ti/board.c ti/calibrate.c $(HAL_adc) $(HAL_pwm)
HAL_run := ti/run.c $(HAL_board)
HAL_am335x := am335x-pru/map.c am335x-pru/lanes.c $(HAL_pwm)
HAL_am57xx := am57xx-m4/map.c $(HAL_pwm)
HAL_am62x := am62x-m4/map.c
HAL_SRC := $(addprefix firmware/hal/, $(sort $(HAL_run) $(HAL_am335x) $(HAL_am57xx) $(HAL_am62x)))
HAL_TEST_CFLAGS := -DQS1_IO_MODEL -Ifirmware/core -Ifirmware/hal/ti -Ifirmware/hal/m4
$(BUILD)/tests/test_hal_%: tests/unit/test_hal_%.c $(HAL_SRC) $(HOST_CORE)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) $(HAL_TEST_CFLAGS) $(addprefix -I, $(wildcard firmware/hal/$*-*)) \
		-MMD -MP -o $@ $< $(addprefix firmware/hal/, $(HAL_$*)) $(HOST_CORE) -lcmocka -lm

-include $(UNIT:%=%.d)

# The averaged plant at fixed operating points, for the comparison with ngspice.
AVERAGED := $(BUILD)/tests/averaged
$(AVERAGED): tests/conformance/averaged.c $(SIM_LIBS)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) $(WORLD_INCLUDES) -MMD -MP \
		-o $@ $< $(SIM_LIBS) -ljson-c -lm
-include $(AVERAGED).d

include tests/m4/m4.mk
include tests/fuzz/fuzz.mk
include tests/pru/pru.mk
include tests/web/web.mk

.PHONY: unit test test-all conformance bench
unit: $(UNIT) $(AVERAGED) $(ETHER_PROGRAMS) $(addprefix $(BUILD)/host/bin/,qs1d qs1ctl linkd ecud ecuctl emad emactl qs1-wpan)

## make check        after each edit: build, static and unit tests, quick conformance procedures; no guest
.PHONY: check
check:
	$(MAKE) all unit
	/usr/bin/python3 tests/run.py --quick static unit conformance

# What the tests need; a suite's .mk adds to it, with +=, and to the second what only its long tests need.
TEST_PARTS := all unit m4-replay fuzzers image web ecu site-programs ema-tests
LONG_TEST_PARTS := pru-programs

## make test         all tests that a change must pass
test:
	$(MAKE) $(TEST_PARTS)
	/usr/bin/python3 tests/run.py

## make test-all     the same and the long suites
test-all:
	$(MAKE) browser servers
	$(MAKE) $(TEST_PARTS) $(LONG_TEST_PARTS)
	/usr/bin/python3 tests/run.py --long

# What the nominal board leaves of an hour is for drawn ones.
CONFORMANCE_MIN := 60
DRAW := /usr/bin/python3 tests/conformance/draws.py $(if $(ONLY),--only '$(ONLY)')

## make conformance [ONLY=name]   every conformance procedure at full length: build/conformance.html;
##   writes their figures into Documentation/figures.json and the documents;
##   then on boards, sources and phases that seeds draw: median, 95th percentile and worst
##   DRAWS=n that many draws and no nominal board, begun again where it stopped; SEED=n one draw
conformance:
	$(MAKE) sim unit m4-replay firmware-virt
ifneq ($(SEED)$(DRAWS),)
	$(DRAW) $(if $(SEED),--seed $(SEED),--draws $(DRAWS))
else
	begin=$$(date +%s); \
	/usr/bin/python3 tests/run.py --long --verbose $(if $(ONLY),--only '$(ONLY)') \
		conformance/test_procedures.py && \
	/usr/bin/python3 tests/figures.py $(BUILD)/conformance$(if $(ONLY),-part).json && \
	$(DRAW) --minutes $$(( $(CONFORMANCE_MIN) - ($$(date +%s) - begin) / 60 )) $(if $(ONLY),--draws 10)
endif
	$(if $(SEED),,[ ! -e $(BUILD)/draws.json ] || /usr/bin/python3 tests/figures.py $(BUILD)/draws.json)

## make sequences [FROM=seed] [COUNT=n] [SEED=n]   random disturbances judged by the standard's tables
.PHONY: sequences
sequences:
	$(MAKE) sim
	/usr/bin/python3 tests/conformance/sequences/run.py $(if $(SEED),--seed $(SEED)) \
		$(if $(FROM),--from $(FROM)) $(if $(COUNT),--count $(COUNT))

## make figures      write the figures of Documentation/figures.json into the documents
.PHONY: figures
figures:
	@/usr/bin/python3 tests/figures.py

## make bench [ONLY=name]   what it costs, against a baseline where there is one: build/bench.json;
##   writes figures as make conformance does
BENCH_pru := sim pru-programs
BENCH_ecu_store := $(ECU_YEAR)
BENCH_ecu_rest := ecu ether site-programs $(ECU_YEAR)
BENCH_ecu_kills := ecu ether site-programs
BENCH_ecu_abuse := ecu ether site-programs
BENCH_ema_home := ema $(EMA_YEARS)
BENCH_fleet_filter := ema servers
BENCH_fleet_live := ema servers
BENCH_fleet_orders := ema servers
BENCH_fleet_outage := ema servers
bench:
	$(MAKE) $(or $(BENCH_$(ONLY)),all m4-replay image kernel-source $(BENCH_ecu_rest) $(BENCH_ema_home) \
		$(if $(wildcard $(PRU_TOOLCHAIN)),pru-programs))
	@/usr/bin/python3 tests/bench/run.py $(ONLY)
	@/usr/bin/python3 tests/figures.py $(BUILD)/bench.json
