# SPDX-License-Identifier: GPL-2.0-only
#
# The Linux driver, built for the virtual board's kernel, and its tests.

DRIVER := $(BUILD)/driver$(KERNEL_SUFFIX)
DRIVER_MODULES := core iio gpio pwm hwmon ivshmem carveout pruss
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

## make kunit        the driver's unit tests, in a User Mode Linux kernel with KASAN
.PHONY: kunit
kunit: kernel-source
	@scripts/kunit

## make driver-check   sparse, kernel-doc, checkpatch, coccinelle: what they find in the driver
.PHONY: driver-check
driver-check: kernel-source
	@scripts/driver-check modules kernel-doc checkpatch coccinelle abi

## make upstream-check   apply the patches of Documentation/upstream, build and test them
.PHONY: upstream-check
upstream-check: kernel-source
	@scripts/upstream-check

## make driver-matrix   build the driver for the kernels of Debian's suites, and with DKMS
.PHONY: driver-matrix
driver-matrix: driver kernel-source
	@scripts/driver-matrix
	@scripts/dkms-check

## make driver-debug-test   the driver's suites on a kernel that looks for faults (KERNEL=debug)
## make driver-kasan-test   the same on one with KASAN (KERNEL=kasan)
.PHONY: driver-debug-test driver-kasan-test
driver-debug-test driver-kasan-test: driver-%-test:
	@$(MAKE) --no-print-directory vboard firmware-virt image KERNEL=$*
	@QS1_KERNEL=$* $(PYTHON) tests/run.py --long system/test_kselftest.py \
		system/test_client.py system/test_stress.py system/test_hostile.py
