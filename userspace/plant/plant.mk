# SPDX-License-Identifier: GPL-2.0-only
#
# libqs1plant: modules, power stage, grid and sensors. Only physics; the events come from world/.

PLANT_SRC := $(wildcard userspace/plant/*.c)
PLANT_OBJ := $(PLANT_SRC:%.c=$(BUILD)/host/%.o)
PLANT_INCLUDES := -Ifirmware/core -Iuserspace/plant

# Neither errno nor traps of the mathematical functions are looked at; without
# them the compiler can vectorise.
PLANT_CFLAGS := -O3 -fno-math-errno -fno-trapping-math

$(BUILD)/host/libqs1plant.a: $(PLANT_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(PLANT_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(PLANT_CFLAGS) $(PLANT_INCLUDES) -MMD -MP -c -o $@ $<

# The module table is part of the program.
$(BUILD)/host/userspace/plant/module.o: data/modules.csv

-include $(PLANT_OBJ:.o=.d)
