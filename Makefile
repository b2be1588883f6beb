# SPDX-License-Identifier: GPL-2.0-only
#
# qs1: make run, make test. Everything else is a refinement of these two.

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

BUILD := build
CACHE := $(HOME)/.cache/qs1

include scripts/folders.mk
include scripts/turns.mk
ifdef MY_TURN

CC := gcc
# The machine of the board's programs: that of the virtual board, or arm64.
GUEST_ARCH := armhf
GUEST_TRIPLET := $(if $(filter arm64,$(GUEST_ARCH)),aarch64-linux-gnu,arm-linux-gnueabihf)
GUEST_CC := BOARD_ARCH=$(GUEST_ARCH) scripts/guest-cc
M4_CC := arm-none-eabi-gcc

# What a recipe does in one short line; make V=1 shows the commands instead.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s%s\n' '$(1)' '$@')

WARN := -Wall -Wextra -Werror
# A build's result does not depend on the folder's name.
SAME_ANYWHERE := -ffile-prefix-map=$(CURDIR)=.
HOST_CFLAGS := -std=gnu17 -O2 -g $(WARN) -Iinclude -D_GNU_SOURCE

# Each part of the tree brings its own rules.
include scripts/scripts.mk
include firmware/firmware.mk
include driver/driver.mk
include dts/dts.mk
include userspace/userspace.mk
include scripts/site.mk
include tests/tests.mk

.PHONY: help all clean install
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make all          build everything into build/
all: sim vboard firmware-virt firmware-am57xx firmware-am62x driver guest-programs

## make install DESTDIR=...   install what runs on the target
install: driver-install firmware-install userspace-install

## make clean        remove build/ (the download cache stays)
##   V=1 with any target shows whole commands
clean:
	rm -rf $(BUILD)

endif # MY_TURN
