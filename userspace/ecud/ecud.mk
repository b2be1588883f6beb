# SPDX-License-Identifier: GPL-2.0-only
#
# ecud: the gateway. All but main() is a library, for tests.

ECUD_SRC := $(wildcard userspace/ecud/*.c)
ECUD_OBJ := $(ECUD_SRC:%.c=$(BUILD)/host/%.o)
ECUD_HOST := $(BUILD)/host/libecud.a
ECUD_INCLUDES := -iquote $(BUILD)/ecud -Iuserspace/ecud -Iuserspace/service -Iuserspace/link -Iuserspace/lib
ECUD_LIBS := $(SERVICE_LIBS) -lsystemd -lcurl -lmosquitto
ECUD_PARTS := $(ECUD_HOST) $(SERVICE_HOST) $(LINK_HOST) $(USERLIB_HOST)

# The part that qs1-poll reads units with.
ECUD_RADIO := $(BUILD)/host/userspace/ecud/radio.o $(BUILD)/host/userspace/ecud/plan.o

$(ECUD_HOST): $(filter-out %/main.o,$(ECUD_OBJ))
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(ECUD_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(ECUD_INCLUDES) -MMD -MP -c -o $@ $<

-include $(ECUD_OBJ:.o=.d)

# The table of routes, with the roles of each, comes from the description of the interface.
ECUD_OPENAPI := userspace/ecud/openapi.json
$(BUILD)/ecud/routes.inc: $(ECUD_OPENAPI) scripts/routes
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)scripts/routes $< >$@
$(ECUD_OBJ): | $(BUILD)/ecud/routes.inc
$(BUILD)/host/userspace/ecud/rest.o: $(ECUD_OPENAPI)

$(BUILD)/host/bin/ecud: $(BUILD)/host/userspace/ecud/main.o $(ECUD_HOST) $(WEB_ECU) $(ECUD_PARTS)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(ECUD_LIBS)

.PHONY: ecu
## make ecu          build the gateway for this machine: build/host/bin/ecud
ecu: $(BUILD)/host/bin/ecud

# Units on the simulated air are part of the tests.
ECU_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_ecu_*.c))
$(ECU_TESTS): $(BUILD)/tests/%: tests/unit/%.c $(ECUD_PARTS) $(ETHER_HOST) $(POLICY_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) $(ECUD_INCLUDES) -Iuserspace/policy -Iuserspace/site -MMD -MP -o $@ $< \
		$(ETHER_HOST) $(POLICY_HOST) $(ECUD_PARTS) -lcmocka $(ECUD_LIBS)

# A year of readings through the store, for make bench.
ECU_YEAR := $(BUILD)/tests/ecu-year
$(ECU_YEAR): tests/bench/ecu_year.c $(ECUD_PARTS) $(ETHER_HOST) $(POLICY_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) $(ECUD_INCLUDES) -Iuserspace/policy -Iuserspace/site -Itests/unit -MMD -MP \
		-o $@ $< $(ETHER_HOST) $(POLICY_HOST) $(ECUD_PARTS) $(ECUD_LIBS)
-include $(ECU_YEAR).d

# What a machine that is only a gateway needs; it has no other package of the project.
.PHONY: ecu-install
ecu-install: ecu
	install -D -m 755 $(BUILD)/host/bin/ecud $(DESTDIR)/usr/sbin/ecud
	install -D -m 755 $(BUILD)/host/bin/ecuctl $(DESTDIR)/usr/bin/ecuctl
	install -D -m 755 $(BUILD)/host/bin/qs1-scan $(DESTDIR)/usr/lib/qs1/qs1-scan
	install -D -m 755 $(BUILD)/host/bin/qs1-document $(DESTDIR)/usr/lib/qs1/qs1-document
	install -D -m 644 userspace/ecud/ecud.conf $(DESTDIR)/etc/qs1/ecud.conf
	install -D -m 644 -t $(DESTDIR)/lib/systemd/system userspace/ecud/system/ecud.service \
		userspace/ecud/system/ecud.socket
	install -D -m 644 -t $(DESTDIR)/usr/share/polkit-1/rules.d \
		userspace/ecud/system/60-qs1-ecu.rules
	install -D -m 644 -t $(DESTDIR)/usr/share/qs1/profiles profiles/*.conf
	install -D -m 644 -t $(DESTDIR)/usr/share/man/man1 Documentation/man/ecuctl.1
	install -D -m 644 -t $(DESTDIR)/usr/share/man/man5 Documentation/man/ecud.conf.5
	install -D -m 644 -t $(DESTDIR)/usr/share/man/man8 Documentation/man/ecud.8
	install -D -m 644 userspace/ecuctl/ecuctl.bash \
		$(DESTDIR)/usr/share/bash-completion/completions/ecuctl
	install -D -m 644 userspace/ecuctl/ecuctl.zsh \
		$(DESTDIR)/usr/share/zsh/vendor-completions/_ecuctl

# The gateway for the machine of GUEST_ARCH: the same rules in a folder below, with the cross compiler.
GUEST_ECU = +@$(MAKE) --no-print-directory BUILD=$(BUILD)/guest-ecu-$(GUEST_ARCH) DEPS=true \
	CC='SYSROOT_GROUP=ecu $(GUEST_CC)' AR=$(GUEST_TRIPLET)-ar
.PHONY: guest-ecu guest-ecu-install
## make guest-ecu GUEST_ARCH=armhf|arm64   the gateway for a board: build/guest-ecu-armhf/host/bin/ecud
guest-ecu: $(ECU_SYSROOT)
	$(GUEST_ECU) ecu
guest-ecu-install: guest-ecu
	$(GUEST_ECU) ecu-install
