# SPDX-License-Identifier: GPL-2.0-only
#
# qs1-sim: the control core against the plant, as fast as it can.

SIM_OBJ := $(BUILD)/host/userspace/sim/main.o

$(SIM_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(FEEDER_INCLUDES) -MMD -MP -c -o $@ $<

$(BUILD)/qs1-sim: $(SIM_OBJ) $(HOST_FEEDER)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) -o $@ $(SIM_OBJ) $(HOST_FEEDER) -ljson-c -lm

.PHONY: sim
sim: $(BUILD)/qs1-sim

# What a unit test of plant, scenario or measurement links.
SIM_LIBS := $(filter-out $(HOST_CORE), $(HOST_FEEDER))

-include $(SIM_OBJ:.o=.d)
