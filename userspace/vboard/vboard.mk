# SPDX-License-Identifier: GPL-2.0-only
#
# The virtual board's host side. The world is in world/world.mk.

VBOARD_SRC := $(addprefix userspace/vboard/, vboard.c control.c coproc.c ivshmem.c loop.c m4.c \
	memory.c pace.c priority.c qmp.c record.c report.c sock.c status.c)
VBOARD_OBJ := $(VBOARD_SRC:%.c=$(BUILD)/host/%.o)

$(BUILD)/host/userspace/vboard/%.o: userspace/vboard/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -Ifirmware/core -Ifirmware/hal/virt -Ifirmware/hal/host \
		-Iuserspace/vboard -Iuserspace/world -MMD -MP -c -o $@ $<

$(BUILD)/vboard: $(VBOARD_OBJ) $(HOST_HAL_OBJ) $(HOST_WORLD) $(HOST_CORE)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) -o $@ $^ -ljson-c -lm

.PHONY: vboard
vboard: $(BUILD)/vboard

-include $(VBOARD_OBJ:.o=.d)
