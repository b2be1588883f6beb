# SPDX-License-Identifier: GPL-2.0-only
#
# qs1ctl: the tool, for the board and, for its tests, for the host.

QS1CTL_SRC := $(wildcard userspace/qs1ctl/*.c)
QS1CTL_LIBS := -lcairo -ljson-c -lm

QS1CTL_GUEST_OBJ := $(QS1CTL_SRC:%.c=$(BUILD)/guest/%.o)
QS1CTL_HOST_OBJ := $(QS1CTL_SRC:%.c=$(BUILD)/host/%.o)

$(QS1CTL_HOST_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/host/bin/qs1ctl: $(QS1CTL_HOST_OBJ) $(USERLIB_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(QS1CTL_LIBS)

$(BUILD)/guest/bin/qs1ctl: $(QS1CTL_GUEST_OBJ) $(USERLIB_GUEST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(GUEST_CC) $(GUEST_LDFLAGS) -o $@ $^ $(QS1CTL_LIBS)

$(BUILD)/tests/test_wave: tests/unit/test_wave.c $(filter-out %/main.o,$(QS1CTL_HOST_OBJ)) \
		$(USERLIB_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) -Iuserspace/qs1ctl -MMD -MP -o $@ $^ -lcmocka $(QS1CTL_LIBS)

-include $(QS1CTL_HOST_OBJ:.o=.d) $(QS1CTL_GUEST_OBJ:.o=.d)

# What make install puts on a target; programs, units, profiles, manual pages.
MAN_PAGES := $(addprefix Documentation/man/,qs1ctl.1 qs1-profile.5 qs1d.conf.5 qs1d.8)

.PHONY: guest-programs userspace-install
guest-programs: $(BUILD)/guest/bin/qs1d $(BUILD)/guest/bin/qs1ctl

userspace-install: guest-programs
	install -D -m 755 $(BUILD)/guest/bin/qs1d $(DESTDIR)/usr/sbin/qs1d
	install -D -m 755 $(BUILD)/guest/bin/qs1ctl $(DESTDIR)/usr/bin/qs1ctl
	install -D -m 644 userspace/qs1d/qs1d.conf $(DESTDIR)/etc/qs1/qs1d.conf
	install -d $(DESTDIR)/usr/share/qs1/profiles
	install -m 644 profiles/*.conf $(DESTDIR)/usr/share/qs1/profiles
	install -d $(DESTDIR)/lib/systemd/system
	install -m 644 userspace/qs1d/system/*.service userspace/qs1d/system/*.socket \
		$(DESTDIR)/lib/systemd/system
	install -D -m 644 userspace/qs1d/system/60-qs1.rules \
		$(DESTDIR)/usr/lib/udev/rules.d/60-qs1.rules
	install -D -m 755 userspace/qs1d/system/grant $(DESTDIR)/usr/lib/qs1/grant
	install -D -m 644 userspace/qs1d/system/qs1.sysusers $(DESTDIR)/usr/lib/sysusers.d/qs1.conf
	install -D -m 644 userspace/qs1ctl/qs1ctl.bash \
		$(DESTDIR)/usr/share/bash-completion/completions/qs1ctl
	install -D -m 644 userspace/qs1ctl/qs1ctl.zsh \
		$(DESTDIR)/usr/share/zsh/vendor-completions/_qs1ctl
	for page in $(MAN_PAGES); do \
		install -D -m 644 $$page $(DESTDIR)/usr/share/man/man$${page##*.}/$${page##*/} || exit; \
	done
