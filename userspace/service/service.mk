# SPDX-License-Identifier: GPL-2.0-only
#
# What the services, ecud and emad, share.

SERVICE_SRC := $(wildcard userspace/service/*.c)
SERVICE_OBJ := $(SERVICE_SRC:%.c=$(BUILD)/host/%.o)
SERVICE_HOST := $(BUILD)/host/libservice.a
SERVICE_LIBS := -lmicrohttpd -lgnutls -lsqlite3 -ljson-c -lsodium -lzstd -lm -lpthread
SERVICE_INCLUDES := -Iuserspace/service -Iuserspace/link -Iuserspace/lib

$(SERVICE_HOST): $(SERVICE_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(SERVICE_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(SERVICE_INCLUDES) -MMD -MP -c -o $@ $<

-include $(SERVICE_OBJ:.o=.d)

SERVICE_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_service_*.c))
$(SERVICE_TESTS): $(BUILD)/tests/%: tests/unit/%.c $(SERVICE_HOST) $(USERLIB_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) $(SERVICE_INCLUDES) -MMD -MP -o $@ $< $(SERVICE_HOST) \
		$(USERLIB_HOST) -lcmocka \
		$(SERVICE_LIBS)
