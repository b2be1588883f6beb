# SPDX-License-Identifier: GPL-2.0-only
#
# Programs that run on the host and in the PRU simulator of gdb and must say the same.

PRU_PROGRAMS := vectors replay
PRU_TEST_INC := -Itests/pru -Iuserspace/sim

# The simulator has room for all of the core; what fits the PRUs is another question.
PRU_SIM_LDFLAGS := -Wl,--defsym=__IMEM_SIZE=256K,--defsym=__DMEM_SIZE=1M

$(PRU)/obj/tests/pru/%.o: PRU_CFLAGS += $(PRU_TEST_INC)
$(BUILD)/host/tests/pru/%.o: tests/pru/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -Ifirmware/core $(PRU_TEST_INC) -MMD -MP -c -o $@ $<

$(PRU)/%.elf: $(PRU)/obj/tests/pru/%.o $(PRU)/obj/tests/pru/sim.o $(PRU_CORE_OBJ) $(PRU_ARITH_OBJ)
	$(call say,LD)
	$(Q)$(PRU_CC) $(PRU_LDFLAGS) $(PRU_SIM_LDFLAGS) -o $@ $^ -lgcc

# The firmware of both PRUs on a model of the chip.
CHIP_SRC := tests/pru/chip.c tests/pru/cpu.c $(PRU_HAL)/map.c $(addprefix firmware/hal/ti/, pwm.c calibrate.c)
CHIP_HEADERS := $(wildcard $(addsuffix /*.h, tests/pru $(PRU_HAL) firmware/hal/ti userspace/sim))
$(PRU)/chip: $(CHIP_SRC) $(CHIP_HEADERS) $(HOST_CORE)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) -DQS1_IO_MODEL -DQS1_VERSION='"$(QS1_VERSION)"' -Ifirmware/core \
		-Ifirmware/hal/ti -I$(PRU_HAL) -Itests/unit $(PRU_TEST_INC) -Wl,--wrap=qs1_slot \
		-o $@ $(CHIP_SRC) $(HOST_CORE)

$(PRU)/host-%: $(BUILD)/host/tests/pru/%.o $(HOST_CORE)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) -o $@ $^

# What implicit rules made on the way to the programs.
.SECONDARY: $(PRU)/obj/tests/pru/sim.o $(PRU_PROGRAMS:%=$(PRU)/obj/tests/pru/%.o) \
	$(PRU_PROGRAMS:%=$(BUILD)/host/tests/pru/%.o)

.PHONY: pru-programs test-pru
pru-programs: $(PRU_IMAGES) $(PRU)/chip $(PRU_PROGRAMS:%=$(PRU)/%.elf) $(PRU_PROGRAMS:%=$(PRU)/host-%)

## make pru-wcet [ONLY="function..."]   size and longest time of the core's functions on the PRU
.PHONY: pru-wcet
pru-wcet: $(PRU)/replay.elf
	@scripts/pru-wcet --objdump $(PRU_BIN)/pru-objdump --apart qs1_slot $< scripts/pru-bounds $(ONLY)

## make pru-wcet-pru0   the same of what PRU0 does in a period, without its waits for PRU1
PRU0_PERIOD := qs1_lanes_convert qs1_lanes_wait qs1_lanes_read qs1_calibrate qs1_core_step qs1_pwm_apply \
	search_step
.PHONY: pru-wcet-pru0
pru-wcet-pru0: $(PRU)/qs1-am335x-pru0.elf
	@scripts/pru-wcet --objdump $(PRU_BIN)/pru-objdump --apart qs1_slot $< scripts/pru-bounds $(PRU0_PERIOD)

## make test-pru     the same bits on the PRU as on the host; builds the PRU's toolchain once
test-pru:
	$(MAKE) pru-programs sim $(BUILD)/host/bin/qs1ctl
	/usr/bin/python3 tests/run.py --long pru

-include $(PRU_PROGRAMS:%=$(PRU)/obj/tests/pru/%.d) $(PRU_PROGRAMS:%=$(BUILD)/host/tests/pru/%.d)
