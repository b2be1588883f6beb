# SPDX-License-Identifier: GPL-2.0-only
#
# Fuzzers of all parsers of external input, with libFuzzer and both sanitizers.

FUZZERS := calibration profile config protocol ring scan link_air link_l2 link_own link_znp linkd batch ecu_radio
FUZZ := $(BUILD)/fuzz
FUZZ_SRC := $(USERLIB_SRC) $(POLICY_SRC) $(filter-out %/main.c,$(QS1D_SRC)) userspace/qs1ctl/wave.c $(LINK_SRC) $(filter-out %/main.c %/config.c,$(LINKD_SRC)) \
	$(addprefix userspace/service/, pack.c report.c batch.c days.c) $(addprefix userspace/ecud/, plan.c radio.c)
FUZZ_OBJ := $(FUZZ_SRC:%.c=$(FUZZ)/%.o)
FUZZ_PROGRAMS := $(FUZZERS:%=$(FUZZ)/%)
FUZZ_CFLAGS := $(HOST_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined -DQS1_VERSION='"fuzz"' -Iuserspace/lib -Iuserspace/qs1d -Iuserspace/qs1ctl -Iuserspace/link -Iuserspace/service

# Two daemons have files of the same name.
$(FUZZ)/userspace/linkd/%.o $(FUZZ)/tests/fuzz/linkd.o: FUZZ_CFLAGS += -Iuserspace/linkd

# qs1ctl has a file of the same name as the services.
$(FUZZ)/userspace/ecud/%.o $(FUZZ)/tests/fuzz/ecu_radio.o: FUZZ_CFLAGS += -iquote userspace/ecud -iquote userspace/service

# No coverage of the checksum: its path does not depend on the input, and it took a third of the time.
$(FUZZ)/userspace/lib/crc32c.o: FUZZ_CFLAGS += -fno-sanitize=fuzzer-no-link

$(FUZZ_OBJ) $(FUZZERS:%=$(FUZZ)/tests/fuzz/%.o): $(FUZZ)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)clang $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_PROGRAMS): $(FUZZ)/%: $(FUZZ)/tests/fuzz/%.o $(FUZZ_OBJ)
	$(call say,LD)
	$(Q)clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(QS1D_LIBS) $(LINK_LIBS) $(SERVICE_LIBS)

# Interfaces of the gateway, without its core and store: those have functions of the same names as qs1d's.
FUZZERS_ECU := ecu_modbus ecu_aps ecu_http
FUZZ_ECU_SRC := $(USERLIB_SRC) $(LINK_SRC) $(SERVICE_SRC) $(addprefix userspace/ecud/, model.c orders.c \
	power_limits.c view.c commission.c settings.c sunspec.c modbus.c aps.c mqtt.c tcp.c rest_orders.c)
FUZZ_ECU_OBJ := $(FUZZ_ECU_SRC:%.c=$(FUZZ)/%.o)
FUZZ_ECU_NEW := $(filter-out $(FUZZ_OBJ), $(FUZZ_ECU_OBJ)) $(FUZZERS_ECU:%=$(FUZZ)/tests/fuzz/%.o)
FUZZ_ECU_PROGRAMS := $(FUZZERS_ECU:%=$(FUZZ)/%)
$(FUZZ_ECU_NEW): FUZZ_CFLAGS += -iquote $(BUILD)/ecud -iquote userspace/ecud
$(FUZZ_ECU_NEW): $(FUZZ)/%.o: %.c | $(BUILD)/ecud/routes.inc
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)clang $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_ECU_PROGRAMS): $(FUZZ)/%: $(FUZZ)/tests/fuzz/%.o $(FUZZ_ECU_OBJ)
	$(call say,LD)
	$(Q)clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(ECUD_LIBS)
-include $(FUZZ_ECU_NEW:.o=.d)

-include $(FUZZ_OBJ:.o=.d) $(FUZZERS:%=$(FUZZ)/tests/fuzz/%.d)

.PHONY: fuzzers fuzz
fuzzers: $(FUZZ_PROGRAMS) $(FUZZ_ECU_PROGRAMS)

## make fuzz         each fuzzer for 10 million executions
fuzz:
	$(MAKE) fuzzers
	/usr/bin/python3 tests/run.py --long --verbose fuzz
