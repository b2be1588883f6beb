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

.PHONY: m4-replay test-m4
m4-replay: $(BUILD)/m4-replay

## make test-m4      the same bits on the Cortex-M4 as on the host
test-m4: m4-replay firmware-virt sim
	/usr/bin/python3 tests/run.py m4

-include $(M4_REPLAY_OBJ:.o=.d)
