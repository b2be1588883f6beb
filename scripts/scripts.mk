# SPDX-License-Identifier: GPL-2.0-only
#
# What other rules build on: Debian packages, the board's kernel, development files for its programs.

export QS1_CACHE := $(CACHE)

# Which targets need which group of scripts/packages. A target that is in no list needs all groups but
# that of the PRU's toolchain, which installs its own packages.
SITE_GOALS := site site-programs
BOARD_GOALS := all install image guest-root run guest
DEPS_sim := $(BOARD_GOALS) sim vboard $(SITE_GOALS) firmware-% m4-replay $(BUILD)/qs1-sim $(BUILD)/vboard $(BUILD)/host/%
DEPS_firmware := $(BOARD_GOALS) firmware-% m4-replay $(BUILD)/firmware/%
GUEST_ECU_GOALS := guest-ecu guest-ecu-install
DEPS_guest := $(BOARD_GOALS) driver guest-programs driver-install userspace-install kernel-source $(GUEST_ECU_GOALS)
DEPS_board := $(BOARD_GOALS)
DEPS_dts := dtbo board-dtbs dts-install
DEPS_pru := toolchain-pru
DEPS_hosts := test-hosts
DEPS_servers := fleet servers
DEPS_ema := ema fleet ema-tests ema-install $(SITE_GOALS)
DEPS_ecu := ecu ether $(SITE_GOALS) $(GUEST_ECU_GOALS)
DEPS_site := $(SITE_GOALS)
DEPS_web := web $(BUILD)/web/%
DEPS_browser := browser
DEPS_GROUPS := sim firmware guest board dts hosts ecu site ema web browser servers pru
DEPS_OTHER := sim firmware guest board unit ema ecu site test fuzz driver dts deb web

groups_of = $(or $(strip $(foreach group,$(DEPS_GROUPS),\
	$(if $(filter $(DEPS_$(group)),$(1)),$(group)))),$(DEPS_OTHER))

# Packages come before anything else, so this runs while make reads its files, once, unless there is
# nothing to build. The first word of MAKEFLAGS holds the short options, but a long option when there
# are none.
DEPS := scripts/deps
ifneq ($(filter-out help clean,$(GOALS)),)
ifeq ($(MAKE_RESTARTS)$(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),)
$(shell $(DEPS) $(sort $(foreach goal,$(filter-out help clean,$(GOALS)),$(call groups_of,$(goal)))))
ifneq ($(.SHELLSTATUS),0)
$(error missing Debian packages, or a host that is not supported, see above)
endif
endif
endif

# The kernel of the virtual board and its headers: a rule that calls scripts/kbuild has
# $(KERNEL_ABI) as a prerequisite. The file holds the release, as uname -r prints it.
# KERNEL=debug and KERNEL=kasan are others: what is built for one has $(KERNEL_SUFFIX) in its name.
BOARD_KERNEL := $(CACHE)/$(shell sed -n 's/^KERNEL_FOLDER=//p' scripts/lib.sh)
BOARD_KERNEL_ABI := $(BOARD_KERNEL)/abi
$(BOARD_KERNEL_ABI): scripts/kernel
	@scripts/kernel

##   KERNEL=debug or KERNEL=kasan with run and guest: a kernel that looks for faults in the driver
export QS1_KERNEL := $(KERNEL)
ifneq ($(filter debug kasan,$(KERNEL)),)
KERNEL_SUFFIX := -$(KERNEL)
KERNEL_ABI := $(CACHE)/kernel-$(KERNEL)/abi
$(KERNEL_ABI): scripts/debug-kernel scripts/debug.config scripts/kasan.config | kernel-source
	@scripts/debug-kernel
else
KERNEL_ABI := $(BOARD_KERNEL_ABI)
endif

.PHONY: kernel-source
kernel-source: $(BOARD_KERNEL_ABI)
	@scripts/source

# What the board's programs are built against; GUEST_CC (scripts/guest-cc) knows where it is. A rule that
# compiles with it has $(GUEST_SYSROOT) as an order-only prerequisite. The gateway has another sysroot.
SYSROOT_FOLDER := $(CACHE)/$(shell sed -n 's/^SYSROOT_FOLDER=//p' scripts/lib.sh)
GUEST_SYSROOT := $(SYSROOT_FOLDER)-$(GUEST_ARCH)/packages
ECU_SYSROOT := $(SYSROOT_FOLDER)-ecu-$(GUEST_ARCH)/packages
GUEST_CFLAGS := -std=gnu17 -O2 -g $(WARN) -Iinclude -D_GNU_SOURCE $(SAME_ANYWHERE) \
	-fstack-protector-strong -D_FORTIFY_SOURCE=2
GUEST_LDFLAGS := -Wl,-z,relro,-z,now
$(ECU_SYSROOT): export SYSROOT_GROUP := ecu
$(GUEST_SYSROOT) $(ECU_SYSROOT): scripts/sysroot
	@BOARD_ARCH=$(GUEST_ARCH) scripts/sysroot

# A compiler and a simulator for the PRU, built from Debian's sources; only the long tests need them.
PRU_TOOLCHAIN := $(CACHE)/toolchain-pru/built
$(PRU_TOOLCHAIN): scripts/toolchain-pru
	@scripts/toolchain-pru

.PHONY: toolchain-pru
## make toolchain-pru   build the PRU compiler and simulator, once, a quarter of an hour
toolchain-pru: $(PRU_TOOLCHAIN)

# What the board boots, described in $(BUILD)/guest/guest.json. PKGS adds Debian packages.
GUEST_ROOT := $(BUILD)/guest-root$(KERNEL_SUFFIX)
.PHONY: image guest-root
image: guest-root
	@scripts/image --pkgs '$(PKGS)'

# The project's files on the board: what make install installs, and files of the virtual board alone. The
# folder is made again each time, so that it has no file that is no longer installed.
guest-root: driver guest-programs firmware-virt | $(KERNEL_ABI)
	@rm -rf $(GUEST_ROOT)
	@mkdir -p $(GUEST_ROOT)
	@$(MAKE) --no-print-directory --silent install DESTDIR=$(abspath $(GUEST_ROOT))
	@cp -a scripts/guest/. $(GUEST_ROOT)/

## make deb          build Debian packages into build/deb/: inverter for armhf and arm64, gateway for these and
##   amd64, monitoring service for amd64
.PHONY: deb
deb:
	@scripts/deb $(BUILD)/deb armhf arm64 amd64

## make test-hosts   both commands as a newcomer in chroots of the supported Debian releases, as root
##   RELEASES=trixie COMMAND='run HEADLESS=1 FOR=15'   some of them, another command; AGAIN=1 in the
##   chroots that a failed command left
define BOTH_COMMANDS
run HEADLESS=1 FOR=15
test
endef
RELEASES = $(shell sed -n "s/^export HOST_RELEASES='\(.*\)'/\1/p" scripts/lib.sh)
COMMAND = $(BOTH_COMMANDS)
.PHONY: test-hosts
test-hosts: export QS1_COMMANDS = $(COMMAND)
test-hosts: export AGAIN := $(AGAIN)
test-hosts:
	@scripts/test-hosts "$(RELEASES)" "$$QS1_COMMANDS"

include scripts/board.mk
