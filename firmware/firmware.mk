# SPDX-License-Identifier: GPL-2.0-only
#
# The control core for the host, the firmware and boot ROM of the virtual board's
# Cortex-M4, and the firmware of real boards with one.

QS1_VERSION := 0.1.0

CORE_SRC := $(wildcard firmware/core/*.c)
CORE_INC := -Iinclude -Ifirmware/core

# --- host -------------------------------------------------------------------

HOST_CORE := $(BUILD)/host/libqs1core.a
HOST_CORE_OBJ := $(CORE_SRC:%.c=$(BUILD)/host/%.o)

$(BUILD)/host/firmware/core/%.o: firmware/core/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -Ifirmware/core -MMD -MP -c -o $@ $<

$(HOST_CORE): $(HOST_CORE_OBJ)
	$(call say,AR)
	$(Q)$(AR) rcs $@ $^

# The virtual board's coprocessor without an emulator.
HOST_HAL_OBJ := $(BUILD)/host/firmware/hal/host/native.o $(BUILD)/host/firmware/hal/virt/board.o

$(BUILD)/host/firmware/hal/%.o: firmware/hal/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -Ifirmware/core -Ifirmware/hal/virt -DQS1_VERSION='"$(QS1_VERSION)"' \
		-MMD -MP -c -o $@ $<

# --- Cortex-M4 --------------------------------------------------------------

M4 := $(BUILD)/firmware
M4_CFLAGS := -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -std=gnu17 -O2 -funroll-loops -g -ffreestanding \
	-fno-common -ffunction-sections -fdata-sections $(SAME_ANYWHERE) $(WARN) $(CORE_INC) -Ifirmware/hal/m4 \
	-DQS1_VERSION='"$(QS1_VERSION)"'
M4_LDFLAGS := -mcpu=cortex-m4 -mthumb -mfloat-abi=soft -nostdlib -Wl,--gc-sections \
	-Wl,--fatal-warnings -Wl,--build-id=none

# What every image has: the core, the start, the memory functions.
M4_COMMON_SRC := $(CORE_SRC) $(addprefix firmware/hal/m4/, start.c trace.c selfcheck.c mem.c)
M4_HAL_SRC := firmware/hal/m4/resources.c $(addprefix firmware/hal/virt/, main.c board.c)
M4_OBJ := $(patsubst %.c, $(M4)/obj/%.o, $(M4_COMMON_SRC) $(M4_HAL_SRC))
M4_BOOT_OBJ := $(M4)/obj/firmware/hal/virt/boot.o

$(M4)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(M4_CC) $(M4_CFLAGS) -MMD -MP -c -o $@ $<

# GCC would turn the loops of memcpy and memset into calls of themselves.
$(M4)/obj/firmware/hal/m4/mem.o: M4_CFLAGS += -fno-tree-loop-distribute-patterns

# libgcc for 64-bit division, which only the slow path uses.
M4_SECTIONS := firmware/hal/m4/sections.ld
$(M4)/qs1-m4.elf: $(M4_OBJ) firmware/hal/virt/qs1-m4.ld $(M4_SECTIONS) $(M4)/stamp
	$(call say,LD)
	$(Q)$(M4_CC) $(M4_LDFLAGS) -Wl,-T,firmware/hal/virt/qs1-m4.ld -Wl,-Map,$(@:.elf=.map) \
		-o $@ $(M4_OBJ) -lgcc
	$(call say,STAMP)
	$(Q)$(M4)/stamp $@

$(M4)/qs1-boot.elf: $(M4_BOOT_OBJ) firmware/hal/virt/boot.ld
	$(call say,LD)
	$(Q)$(M4_CC) $(M4_LDFLAGS) -Wl,-T,firmware/hal/virt/boot.ld -o $@ $(M4_BOOT_OBJ)

$(M4)/stamp: $(addprefix firmware/hal/m4/, stamp.c selfcheck.h) include/qs1/crc32.h
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) -o $@ $<

# Real boards: registers of Texas Instruments' processors, and the pins of each board.
TI_SRC := $(addprefix firmware/hal/ti/, run.c board.c calibrate.c adc.c pwm.c frame.c watchdog.c)
AM57XX_SRC := $(addprefix firmware/hal/am57xx-m4/, map.c resources.c)
AM62X_SRC := firmware/hal/am62x-m4/map.c firmware/hal/m4/resources.c
TI_OBJ := $(patsubst %.c, $(M4)/obj/%.o, $(sort $(TI_SRC) $(AM57XX_SRC) $(AM62X_SRC)))
$(TI_OBJ): M4_CFLAGS += -Ifirmware/hal/ti

define M4_IMAGE
$(M4)/qs1-$(1).elf: $$(patsubst %.c, $(M4)/obj/%.o, $(M4_COMMON_SRC) $(TI_SRC) $(2)) \
		firmware/hal/$(1)-m4/qs1-$(1).ld $(M4_SECTIONS) $(M4)/stamp
	$$(call say,LD)
	$$(Q)$$(M4_CC) $$(M4_LDFLAGS) -Wl,-T,firmware/hal/$(1)-m4/qs1-$(1).ld \
		-Wl,-Map,$$(@:.elf=.map) -o $$@ $$(filter %.o, $$^) -lgcc
	$$(call say,STAMP)
	$$(Q)$(M4)/stamp $$@

firmware-$(1): $(M4)/qs1-$(1).elf
endef
$(eval $(call M4_IMAGE,am57xx,$(AM57XX_SRC)))
$(eval $(call M4_IMAGE,am62x,$(AM62X_SRC)))

## make firmware-am57xx firmware-am62x   the images of real boards with a Cortex-M4
.PHONY: firmware-virt firmware-am57xx firmware-am62x firmware-install
firmware-virt: $(M4)/qs1-m4.elf $(M4)/qs1-boot.elf

# make firmware-install DESTDIR=...
FIRMWARE := $(addprefix $(M4)/, qs1-m4.elf qs1-am57xx.elf qs1-am62x.elf)
firmware-install: $(FIRMWARE)
	install -d $(DESTDIR)/lib/firmware
	install -m 644 $(FIRMWARE) $(DESTDIR)/lib/firmware

-include $(HOST_CORE_OBJ:.o=.d) $(HOST_HAL_OBJ:.o=.d) $(M4_OBJ:.o=.d) $(M4_BOOT_OBJ:.o=.d) \
	$(TI_OBJ:.o=.d)

include firmware/hal/am335x-pru/pru.mk
