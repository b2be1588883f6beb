# SPDX-License-Identifier: GPL-2.0-only
#
# libqs1world: scenario and measurement around a plant, for the simulator and the virtual board.

WORLD_SRC := $(wildcard userspace/world/*.c)
WORLD_OBJ := $(WORLD_SRC:%.c=$(BUILD)/host/%.o)
WORLD_INCLUDES := $(PLANT_INCLUDES) -Iuserspace/lib -Iuserspace/world

# Link line of a program with a world; each library before the ones that it needs.
HOST_WORLD := $(BUILD)/host/libqs1world.a $(BUILD)/host/libqs1plant.a $(USERLIB_HOST)

$(BUILD)/host/libqs1world.a: $(WORLD_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(WORLD_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(PLANT_CFLAGS) $(WORLD_INCLUDES) -MMD -MP -c -o $@ $<

-include $(WORLD_OBJ:.o=.d)
