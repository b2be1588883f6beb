# SPDX-License-Identifier: GPL-2.0-only
#
# linkd: the inverter's end of the radio, for the board and, for its tests, for the host.

LINKD_SRC := $(wildcard userspace/linkd/*.c)
LINKD_LIBS := -ljson-c -lsystemd $(LINK_LIBS)
LINKD_INCLUDES := -Iuserspace/link -Iuserspace/lib
LINKD_HOST_OBJ := $(LINKD_SRC:%.c=$(BUILD)/host/%.o)
LINKD_GUEST_OBJ := $(LINKD_SRC:%.c=$(BUILD)/guest/%.o)

# All but main(), for the tests.
LINKD_HOST := $(BUILD)/host/liblinkd.a
$(LINKD_HOST): $(filter-out %/main.o,$(LINKD_HOST_OBJ))
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(LINKD_HOST_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(LINKD_INCLUDES) -MMD -MP -c -o $@ $<

$(LINKD_GUEST_OBJ): GUEST_CFLAGS += $(LINKD_INCLUDES)

$(BUILD)/host/bin/linkd: $(BUILD)/host/userspace/linkd/main.o $(LINKD_HOST) $(LINK_HOST) $(USERLIB_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(LINKD_LIBS)

$(BUILD)/guest/bin/linkd: $(LINKD_GUEST_OBJ) $(LINK_GUEST) $(USERLIB_GUEST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(GUEST_CC) $(GUEST_LDFLAGS) -o $@ $^ $(LINKD_LIBS)

-include $(LINKD_HOST_OBJ:.o=.d) $(LINKD_GUEST_OBJ:.o=.d)

# The test has a modem on the simulated air.
$(BUILD)/tests/test_linkd: tests/unit/test_linkd.c $(LINKD_HOST) $(ETHER_HOST) $(LINK_HOST) $(USERLIB_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) $(LINKD_INCLUDES) -Iuserspace/linkd -Iuserspace/site -MMD -MP -o $@ \
		$< $(LINKD_HOST) $(ETHER_HOST) $(LINK_HOST) $(USERLIB_HOST) -lcmocka $(LINKD_LIBS)

# Part of what make install puts on a target.
guest-programs: $(BUILD)/guest/bin/linkd

.PHONY: linkd-install
userspace-install: linkd-install
linkd-install: guest-programs
	install -D -m 755 $(BUILD)/guest/bin/linkd $(DESTDIR)/usr/sbin/linkd
	install -D -m 644 userspace/linkd/linkd.conf $(DESTDIR)/etc/qs1/linkd.conf
	install -D -m 644 userspace/linkd/system/linkd.service \
		$(DESTDIR)/lib/systemd/system/linkd.service
	install -D -m 644 userspace/linkd/system/61-qs1-link.rules \
		$(DESTDIR)/usr/lib/udev/rules.d/61-qs1-link.rules
	install -D -m 644 Documentation/man/linkd.8 $(DESTDIR)/usr/share/man/man8/linkd.8
