# SPDX-License-Identifier: GPL-2.0-only
#
# ecuctl: the gateway's tool.

ECUCTL_SRC := $(wildcard userspace/ecuctl/*.c)
ECUCTL_OBJ := $(ECUCTL_SRC:%.c=$(BUILD)/host/%.o)

$(ECUCTL_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/host/bin/ecuctl: $(ECUCTL_OBJ) $(USERLIB_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ -lcurl -ljson-c -lqrencode -lm

-include $(ECUCTL_OBJ:.o=.d)

ecu: $(BUILD)/host/bin/ecuctl
