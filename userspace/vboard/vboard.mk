# SPDX-License-Identifier: GPL-2.0-only
#
# The virtual board's host side. The world is in world/world.mk.

VBOARD_OBJ := $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard userspace/vboard/*.c))
VBOARD_INCLUDES := -Ifirmware/hal/virt -Ifirmware/hal/host -Iuserspace/vboard

$(BUILD)/host/userspace/vboard/%.o: userspace/vboard/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -Ifirmware/core $(VBOARD_INCLUDES) -Iuserspace/world \
		-MMD -MP -c -o $@ $<

# The board without its world, for the programs that have one: vboard, and a site.
VBOARD_HOST := $(BUILD)/host/libqs1vboard.a
$(VBOARD_HOST): $(filter-out %/vboard.o,$(VBOARD_OBJ)) $(HOST_HAL_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/vboard: $(BUILD)/host/userspace/vboard/vboard.o $(VBOARD_HOST) $(HOST_WORLD) $(HOST_CORE)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) -o $@ $^ -ljson-c -lm

.PHONY: vboard
vboard: $(BUILD)/vboard

-include $(VBOARD_OBJ:.o=.d)
