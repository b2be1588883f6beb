# SPDX-License-Identifier: GPL-2.0-only
#
# The pages of ECU and EMA, compiled into one library for each service.

WEB_SRC := $(wildcard $(addprefix userspace/web/, src/*.* src/*/*.* texts/*.json)) \
	userspace/web/LICENCES.md userspace/web/package-lock.json
WEB_ECU := $(BUILD)/web/libwebecu.a
WEB_EMA := $(BUILD)/web/libwebema.a
WEB_INCLUDES := -Iuserspace/web

$(BUILD)/web/plain_texts.c: scripts/web-pack $(wildcard userspace/web/texts/*.json)
	@mkdir -p $(@D)
	$(call say,PACK)
	$(Q)scripts/web-pack plain $@

$(BUILD)/web/%_files.c: scripts/web-pack scripts/npm $(WEB_SRC)
	@mkdir -p $(@D)
	$(call say,PACK)
	$(Q)scripts/web-pack $* $@

WEB_OBJ := $(addprefix $(BUILD)/web/, ecu_files.o ema_files.o plain_texts.o plain.o)
$(filter-out %/plain.o,$(WEB_OBJ)): %.o: %.c
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(WEB_INCLUDES) -MMD -MP -c -o $@ $<
$(BUILD)/web/plain.o: userspace/web/plain.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(WEB_INCLUDES) -MMD -MP -c -o $@ $<
-include $(WEB_OBJ:.o=.d)

$(WEB_ECU): $(addprefix $(BUILD)/web/, ecu_files.o plain_texts.o plain.o)
$(WEB_EMA): $(BUILD)/web/ema_files.o
$(WEB_ECU) $(WEB_EMA):
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

.PHONY: web
## make web          the pages of ECU and EMA, as tables of compressed files
web: $(WEB_ECU) $(WEB_EMA)
