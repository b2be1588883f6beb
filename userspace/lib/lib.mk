# SPDX-License-Identifier: GPL-2.0-only
#
# libqs1user: what the programs share. Static, for the host and for the board.

USERLIB_SRC := $(wildcard userspace/lib/*.c)
USERLIB_HOST := $(BUILD)/host/libqs1user.a
USERLIB_GUEST := $(BUILD)/guest/libqs1user.a

USERLIB_HOST_OBJ := $(USERLIB_SRC:%.c=$(BUILD)/host/%.o)
USERLIB_GUEST_OBJ := $(USERLIB_SRC:%.c=$(BUILD)/guest/%.o)

$(USERLIB_HOST): $(USERLIB_HOST_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(USERLIB_GUEST): $(USERLIB_GUEST_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(GUEST_TRIPLET)-ar rcs $@ $^

$(BUILD)/host/userspace/lib/version.o: private HOST_CFLAGS += -DQS1_VERSION='"$(QS1_VERSION)"'
$(BUILD)/guest/userspace/lib/version.o: private GUEST_CFLAGS += -DQS1_VERSION='"$(QS1_VERSION)"'

$(USERLIB_HOST_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

# Everything that runs on the board is compiled the same way.
$(BUILD)/guest/userspace/%.o: userspace/%.c | $(GUEST_SYSROOT)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

-include $(USERLIB_HOST_OBJ:.o=.d) $(USERLIB_GUEST_OBJ:.o=.d)
