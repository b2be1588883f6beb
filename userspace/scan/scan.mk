# SPDX-License-Identifier: GPL-2.0-only
#
# qs1-scan: finds the labels in a photo, in a process for each picture.

SCAN_SRC := $(wildcard userspace/scan/*.c)
SCAN_OBJ := $(SCAN_SRC:%.c=$(BUILD)/host/%.o)

$(SCAN_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/host/bin/qs1-scan: $(SCAN_OBJ) $(SERVICE_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ -ljpeg -lzbar -lm

-include $(SCAN_OBJ:.o=.d)

ecu: $(BUILD)/host/bin/qs1-scan
