# SPDX-License-Identifier: GPL-2.0-only
#
# qs1-document: makes a PDF document of a site, in a process for each.

DOCUMENT_SRC := $(wildcard userspace/document/*.c)
DOCUMENT_OBJ := $(DOCUMENT_SRC:%.c=$(BUILD)/host/%.o)

$(DOCUMENT_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(SERVICE_INCLUDES) -MMD -MP -c -o $@ $<

$(BUILD)/host/bin/qs1-document: $(DOCUMENT_OBJ) $(SERVICE_HOST) $(USERLIB_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ -lhpdf -lqrencode -ljson-c -lsodium -lzstd -lm

-include $(DOCUMENT_OBJ:.o=.d)

ecu: $(BUILD)/host/bin/qs1-document
