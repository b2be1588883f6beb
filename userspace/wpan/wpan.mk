# SPDX-License-Identifier: GPL-2.0-only
#
# qs1-wpan: a ZNP modem on a Linux wpan interface, for the board and, for its tests, for the host. Stack and
# modem are those of the simulated site; air.h is in wpan_air.c instead of air.c.

WPAN_SRC := $(wildcard userspace/wpan/*.c) $(addprefix userspace/site/, modem.c modem_port.c stack.c)
WPAN_LIBS := -lsystemd $(LINK_LIBS)
WPAN_INCLUDES := -Iuserspace/link -Iuserspace/lib -Iuserspace/site
WPAN_HOST_OBJ := $(WPAN_SRC:%.c=$(BUILD)/host/%.o)
WPAN_GUEST_OBJ := $(WPAN_SRC:%.c=$(BUILD)/guest/%.o)

$(filter $(BUILD)/host/userspace/wpan/%,$(WPAN_HOST_OBJ)): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(WPAN_INCLUDES) -MMD -MP -c -o $@ $<

$(WPAN_GUEST_OBJ): GUEST_CFLAGS += $(WPAN_INCLUDES)

$(BUILD)/host/bin/qs1-wpan: $(WPAN_HOST_OBJ) $(LINK_HOST) $(USERLIB_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(WPAN_LIBS)

$(BUILD)/guest/bin/qs1-wpan: $(WPAN_GUEST_OBJ) $(LINK_GUEST) $(USERLIB_GUEST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(GUEST_CC) $(GUEST_LDFLAGS) -o $@ $^ $(WPAN_LIBS)

-include $(WPAN_HOST_OBJ:.o=.d) $(WPAN_GUEST_OBJ:.o=.d)

guest-programs: $(BUILD)/guest/bin/qs1-wpan
ecu: $(BUILD)/host/bin/qs1-wpan

# For the inverter and for the gateway: what make install puts on a target.
.PHONY: wpan-install wpan-ecu-install wpan-common-install
userspace-install: wpan-install
wpan-install: guest-programs wpan-common-install
	install -D -m 755 $(BUILD)/guest/bin/qs1-wpan $(DESTDIR)/usr/sbin/qs1-wpan
ecu-install: wpan-ecu-install
wpan-ecu-install: ecu wpan-common-install
	install -D -m 755 $(BUILD)/host/bin/qs1-wpan $(DESTDIR)/usr/sbin/qs1-wpan
wpan-common-install:
	install -D -m 644 userspace/wpan/system/qs1-wpan@.service \
		$(DESTDIR)/lib/systemd/system/qs1-wpan@.service
	install -D -m 644 Documentation/man/qs1-wpan.8 $(DESTDIR)/usr/share/man/man8/qs1-wpan.8
