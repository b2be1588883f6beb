# SPDX-License-Identifier: GPL-2.0-only
#
# emactl: the operator's tool of the monitoring service.

EMACTL_OBJ := $(BUILD)/host/userspace/emactl/main.o

$(EMACTL_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(EMAD_INCLUDES) -MMD -MP -c -o $@ $<

$(BUILD)/host/bin/emactl: $(EMACTL_OBJ) $(EMAD_HOST) $(SERVICE_HOST) $(USERLIB_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(EMAD_LIBS)

-include $(EMACTL_OBJ:.o=.d)

ema: $(BUILD)/host/bin/emactl
