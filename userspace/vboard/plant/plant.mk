# SPDX-License-Identifier: GPL-2.0-only
#
# libqs1world: scenario, plant and measurement, for the simulator and the
# virtual board.

WORLD_SRC := userspace/vboard/world.c $(wildcard userspace/vboard/plant/*.c)
WORLD_OBJ := $(WORLD_SRC:%.c=$(BUILD)/host/%.o)

# What a program that holds a world links; the library before what it needs.
HOST_WORLD := $(BUILD)/host/libqs1world.a $(USERLIB_HOST)

$(BUILD)/host/libqs1world.a: $(WORLD_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

# Neither errno nor traps of the mathematical functions are looked at; without
# them the compiler can vectorise.
$(WORLD_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -O3 -fno-math-errno -fno-trapping-math -Ifirmware/core -Iuserspace/lib \
		-Iuserspace/vboard -Iuserspace/vboard/plant -MMD -MP -c -o $@ $<

# The module table is part of the program.
$(BUILD)/host/userspace/vboard/plant/module.o: data/modules.csv

-include $(WORLD_OBJ:.o=.d)
