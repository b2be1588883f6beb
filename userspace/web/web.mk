# SPDX-License-Identifier: GPL-2.0-only
#
# The pages of ECU and EMA, compiled into one library for each service.

WEB_SRC := $(wildcard $(addprefix userspace/web/, src/*.* src/*/*.* texts/*.json)) \
	userspace/web/LICENCES.md userspace/web/package-lock.json
WEB_ECU := $(BUILD)/web/libwebecu.a
WEB_EMA := $(BUILD)/web/libwebema.a
WEB_INCLUDES := -Iuserspace/web

$(BUILD)/web/%_files.c: scripts/web-pack scripts/npm $(WEB_SRC)
	@mkdir -p $(@D)
	$(call say,PACK)
	$(Q)scripts/web-pack $* $@

WEB_OBJ := $(addprefix $(BUILD)/web/, ecu_files.o ema_files.o)
$(WEB_OBJ): %.o: %.c userspace/web/web_files.h userspace/service/http.h
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(WEB_INCLUDES) -c -o $@ $<

WEB_COMMON_OBJ := $(patsubst userspace/web/%.c,$(BUILD)/web/%.o,$(wildcard userspace/web/*.c))
$(WEB_COMMON_OBJ): $(BUILD)/web/%.o: userspace/web/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(WEB_INCLUDES) -MMD -MP -c -o $@ $<
-include $(WEB_COMMON_OBJ:.o=.d)

$(BUILD)/web/libweb%.a: $(BUILD)/web/%_files.o $(WEB_COMMON_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

.PHONY: web
## make web          the pages of ECU and EMA, as tables of compressed files
web: $(WEB_ECU) $(WEB_EMA)
