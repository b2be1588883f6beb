# SPDX-License-Identifier: GPL-2.0-only
#
# The Linux driver, built for the virtual board's kernel, and its tests.

DRIVER := $(BUILD)/driver
DRIVER_MODULES := core iio gpio pwm ivshmem
DRIVER_KO := $(DRIVER_MODULES:%=$(DRIVER)/qs1_%.ko)
DRIVER_SRC := $(wildcard driver/*.[ch]) driver/Kbuild $(wildcard include/qs1/*.h)
KSELFTEST := $(wildcard tests/kselftest/*.sh)

.PHONY: driver driver-install
driver: $(DRIVER)/stamp

# One build makes all modules; scripts/kbuild links the sources there first. Two
# makes at a time take turns.
$(DRIVER)/stamp: $(DRIVER_SRC) scripts/kbuild | $(KERNEL_ABI)
	@mkdir -p $(DRIVER)
	$(call say,MODULES)
	$(Q)flock $(DRIVER) scripts/kbuild driver $(DRIVER) modules
	@touch $@

# make driver-install DESTDIR=...
driver-install: $(DRIVER)/stamp
	install -d $(DESTDIR)/lib/modules/$$(cat $(KERNEL_ABI))/updates \
		$(DESTDIR)/usr/lib/qs1/kselftest
	install -m 644 $(DRIVER_KO) $(DESTDIR)/lib/modules/$$(cat $(KERNEL_ABI))/updates
	arm-linux-gnueabihf-strip --strip-debug \
		$(DRIVER_MODULES:%=$(DESTDIR)/lib/modules/$$(cat $(KERNEL_ABI))/updates/qs1_%.ko)
	install -m 755 $(KSELFTEST) $(DESTDIR)/usr/lib/qs1/kselftest
	install -m 644 tests/kselftest/tap.inc $(DESTDIR)/usr/lib/qs1/kselftest
