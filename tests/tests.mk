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
	$(Q)$(CC) $(HOST_CFLAGS) -Ifirmware/core -Iuserspace/lib -Iuserspace/qs1d -Iuserspace/vboard \
		-Iuserspace/vboard/plant -MMD -MP -o $@ $< \
		-Wl,--start-group $(UNIT_LIBS) -Wl,--end-group -lcmocka -ljson-c -lm

-include $(UNIT:%=%.d)

# The averaged plant at fixed operating points, for the comparison with ngspice.
AVERAGED := $(BUILD)/tests/averaged
$(AVERAGED): tests/conformance/averaged.c $(SIM_LIBS)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) -Ifirmware/core -Iuserspace/lib -Iuserspace/vboard/plant -MMD -MP \
		-o $@ $< $(SIM_LIBS) -ljson-c -lm
-include $(AVERAGED).d

include tests/m4/m4.mk
include tests/fuzz/fuzz.mk
include tests/pru/pru.mk

.PHONY: unit test test-all conformance bench
unit: $(UNIT) $(AVERAGED) $(BUILD)/host/bin/qs1ctl

## make test         all tests that a change must pass
test:
	$(MAKE) all unit m4-replay fuzzers image
	/usr/bin/python3 tests/run.py

## make test-all     the same and the long suites
test-all:
	$(MAKE) all unit m4-replay fuzzers image pru-programs
	/usr/bin/python3 tests/run.py --long

## make conformance [ONLY=name]   every conformance procedure at full length: build/conformance.html
conformance:
	$(MAKE) sim unit m4-replay firmware-virt
	/usr/bin/python3 tests/run.py --long --verbose $(if $(ONLY),--only $(ONLY)) \
		conformance/test_procedures.py

## make bench        what it costs, against a baseline where there is one: build/bench.json
bench: all m4-replay image
	@/usr/bin/python3 tests/bench/run.py
