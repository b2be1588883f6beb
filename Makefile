# SPDX-License-Identifier: GPL-2.0-only
#
# qs1: make run, make test. Everything else is a refinement of these two.

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

BUILD := build
CACHE := $(HOME)/.cache/qs1

CC := gcc
GUEST_CC := arm-linux-gnueabihf-gcc
M4_CC := arm-none-eabi-gcc

WARN := -Wall -Wextra -Werror
HOST_CFLAGS := -std=gnu17 -O2 -g $(WARN) -Iinclude -D_GNU_SOURCE

# Each part of the tree brings its own rules.
include scripts/scripts.mk
include firmware/firmware.mk
include driver/driver.mk
include userspace/userspace.mk
include tests/tests.mk

.PHONY: help all clean install
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make all          build everything into build/
all: sim vboard firmware-virt driver guest-programs

## make install DESTDIR=...   install what runs on the target
install: driver-install firmware-install userspace-install

## make clean        remove build/ (the download cache stays)
clean:
	rm -rf $(BUILD)
