# SPDX-License-Identifier: GPL-2.0-only
#
# libqs1policy: what the inverter may do, a pure function, for qs1d and for simulated units.

POLICY_SRC := $(wildcard userspace/policy/*.c)
POLICY_HOST := $(BUILD)/host/libqs1policy.a
POLICY_GUEST := $(BUILD)/guest/libqs1policy.a
POLICY_HOST_OBJ := $(POLICY_SRC:%.c=$(BUILD)/host/%.o)
POLICY_GUEST_OBJ := $(POLICY_SRC:%.c=$(BUILD)/guest/%.o)

$(POLICY_HOST): $(POLICY_HOST_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(POLICY_GUEST): $(POLICY_GUEST_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(GUEST_TRIPLET)-ar rcs $@ $^

$(POLICY_HOST_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

-include $(POLICY_HOST_OBJ:.o=.d) $(POLICY_GUEST_OBJ:.o=.d)
