# SPDX-License-Identifier: GPL-2.0-only
#
# Replay of recordings on the Cortex-M4 image, see replay.c.

M4_REPLAY_OBJ := $(BUILD)/host/tests/m4/replay.o \
	$(addprefix $(BUILD)/host/userspace/vboard/, m4.o memory.o priority.o qmp.o sock.o)

$(BUILD)/host/tests/m4/%.o: tests/m4/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -Ifirmware/core -Ifirmware/hal/host -Iuserspace/sim -Iuserspace/vboard \
		-MMD -MP -c -o $@ $<

$(BUILD)/m4-replay: $(M4_REPLAY_OBJ) $(HOST_HAL_OBJ) $(HOST_CORE)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) -o $@ $^ -ljson-c

# Images that count what the core costs: the control period as a whole, and each of its functions.
COST_OBJ := $(M4)/obj/tests/m4/cost.o
$(COST_OBJ): M4_CFLAGS += -Itests/m4
COST_FUNCTIONS := $(shell sed -n 's/^\tX.\([a-z_]*\), .*/qs1_\1/p' tests/m4/cost.h)

$(M4)/cost-%.elf: $(M4_OBJ) $(COST_OBJ) firmware/hal/virt/qs1-m4.ld $(M4_SECTIONS) $(M4)/stamp
	$(call say,LD)
	$(Q)$(M4_CC) $(M4_LDFLAGS) -Wl,-T,firmware/hal/virt/qs1-m4.ld \
		$(COST_WRAP:%=-Wl,--wrap=%) -o $@ $(M4_OBJ) $(COST_OBJ) -lgcc
	$(call say,STAMP)
	$(Q)$(M4)/stamp $@
# What is not wrapped is left out by --gc-sections.
$(M4)/cost-period.elf: COST_WRAP := qs1_core_step
$(M4)/cost-functions.elf: COST_WRAP := $(COST_FUNCTIONS)

.PHONY: m4-replay test-m4
m4-replay: $(BUILD)/m4-replay $(M4)/cost-period.elf $(M4)/cost-functions.elf

## make test-m4      the same bits on the Cortex-M4 as on the host
test-m4:
	$(MAKE) m4-replay firmware-virt sim
	/usr/bin/python3 tests/run.py m4

-include $(M4_REPLAY_OBJ:.o=.d) $(COST_OBJ:.o=.d)
