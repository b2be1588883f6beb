# SPDX-License-Identifier: GPL-2.0-only
#
# libqs1feeder: inverters, one or many, on the network that they share.

FEEDER_SRC := $(wildcard userspace/feeder/*.c)
FEEDER_OBJ := $(FEEDER_SRC:%.c=$(BUILD)/host/%.o)
FEEDER_INCLUDES := $(WORLD_INCLUDES) -Iuserspace/feeder

# Link line of a program with a feeder; add -ljson-c -lm.
HOST_FEEDER := $(BUILD)/host/libqs1feeder.a $(HOST_WORLD) $(HOST_CORE)

$(BUILD)/host/libqs1feeder.a: $(FEEDER_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(FEEDER_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(PLANT_CFLAGS) $(FEEDER_INCLUDES) -MMD -MP -c -o $@ $<

-include $(FEEDER_OBJ:.o=.d)
