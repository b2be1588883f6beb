# SPDX-License-Identifier: GPL-2.0-only
#
# The control core for the PRUs of the AM335x. The compiler is the one that
# `make toolchain-pru` builds; nothing of this is part of `make all`.

PRU := $(BUILD)/pru
PRU_HAL := firmware/hal/am335x-pru
PRU_BIN := $(CACHE)/toolchain-pru/bin
PRU_CC := $(PRU_BIN)/pru-gcc

# 8 KB of instructions each: optimise for size, and do not inline functions that are called once:
# inlined, they make the compiler spill registers to memory. The other options leave out passes that
# make this code larger: forward propagation by 4 %, the others by 1 % together.
PRU_SMALL := -Os -fno-inline-functions-called-once -fno-tree-forwprop -fno-thread-jumps \
	-fno-guess-branch-probability -fno-shrink-wrap
PRU_CFLAGS := -std=gnu17 $(PRU_SMALL) -g -ffreestanding -ffunction-sections -fdata-sections \
	$(SAME_ANYWHERE) $(WARN) $(CORE_INC) -I$(PRU_HAL) \
	-DQS1_ARITH='"arith.h"' -DQS1_VERSION='"$(QS1_VERSION)"'
PRU_LDFLAGS := -nostdlib -Wl,--gc-sections -Wl,--fatal-warnings -Wl,--build-id=none

PRU_CORE_OBJ := $(CORE_SRC:%.c=$(PRU)/obj/%.o)
PRU_ARITH_OBJ := $(addprefix $(PRU)/obj/$(PRU_HAL)/, arith.o mem.o)

$(PRU)/obj/%.o: %.c $(PRU_TOOLCHAIN)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(PRU_CC) $(PRU_CFLAGS) -MMD -MP -c -o $@ $<

$(PRU)/obj/%.o: %.S $(PRU_TOOLCHAIN)
	@mkdir -p $(@D)
	$(call say,AS)
	$(Q)$(PRU_CC) $(PRU_CFLAGS) -Wa,-gdwarf-4 -c -o $@ $<

# The firmware of both PRUs. PRU0's has the core's control period, for which qs1_slot() is the turn of
# PRU1; it also loads PRU1's code, which scripts/pru-overlays arranges.
PRU0_HAL_OBJ := $(addprefix $(PRU)/obj/$(PRU_HAL)/, start.o pru0.o overlay.o lanes.o map.o) \
	$(addprefix $(PRU)/obj/firmware/hal/ti/, pwm.o calibrate.o)
PRU0_CORE_OBJ := $(addprefix $(PRU)/obj/firmware/core/, \
	core.o pll.o meter.o current.o input.o protect.o fixed.o shm.o)
PRU1_HAL_OBJ := $(addprefix $(PRU)/obj/$(PRU_HAL)/, start.o pru1.o map.o) \
	$(addprefix $(PRU)/obj/firmware/hal/ti/, pwm.o calibrate.o)
PRU1_FIRMWARE_OBJ := $(PRU1_HAL_OBJ) $(PRU_CORE_OBJ) $(PRU_ARITH_OBJ)
$(PRU0_HAL_OBJ) $(PRU1_HAL_OBJ): PRU_CFLAGS += -Ifirmware/hal/ti -I$(PRU) -DQS1_PWM_ECAPS=false
# Loops with few iterations are smaller when invariant code stays inside of them.
$(addprefix $(PRU)/obj/, $(addprefix $(PRU_HAL)/, pru0.o overlay.o) firmware/hal/ti/pwm.o): private PRU_CFLAGS += \
	-fno-tree-loop-im -fno-move-loop-invariants

$(PRU)/qs1-am335x-pru0.elf: $(PRU0_HAL_OBJ) $(PRU0_CORE_OBJ) $(PRU_ARITH_OBJ) \
		$(addprefix $(PRU_HAL)/, pru0.ld pair.ld)
	$(call say,LD)
	$(Q)$(PRU_CC) $(PRU_LDFLAGS) -Wl,-T,$(PRU_HAL)/pru0.ld -o $@ $(filter %.o, $^) -lgcc

$(PRU)/pru1-all.elf: $(PRU1_FIRMWARE_OBJ) $(addprefix $(PRU_HAL)/, pru1-all.ld pair.ld)
	$(call say,LD)
	$(Q)$(PRU_CC) $(PRU_LDFLAGS) -Wl,-T,$(PRU_HAL)/pru1-all.ld -Wl,-Map,$(@:.elf=.map) -o $@ \
		$(filter %.o, $^) -lgcc

$(PRU)/overlays.h: $(PRU)/pru1-all.elf $(addprefix scripts/, pru-overlays pru-wcet pru-turns pru-bounds)
	$(call say,PLACE)
	$(Q)scripts/pru-overlays --objdump $(PRU_BIN)/pru-objdump $< $(<:.elf=.map) scripts/pru-bounds \
		scripts/pru-turns $(@:.h=.ld) $@ >$(@:.h=.txt)
$(PRU)/obj/$(PRU_HAL)/overlay.o: $(PRU)/overlays.h

# Groups of code have the same place in the instruction memory.
$(PRU)/qs1-am335x-pru1.elf: $(PRU1_FIRMWARE_OBJ) $(PRU)/overlays.h $(addprefix $(PRU_HAL)/, pru1.ld pair.ld)
	$(call say,LD)
	$(Q)$(PRU_CC) $(PRU_LDFLAGS) -Wl,--no-check-sections -Wl,-T,$(PRU_HAL)/pru1.ld -o $@ \
		$(filter %.o, $^) -lgcc

PRU_IMAGES := $(addprefix $(PRU)/qs1-am335x-, pru0.elf pru1.elf)

## make pru-image    the firmware of the AM335x, both PRUs; builds the PRU's toolchain once
.PHONY: pru-image
pru-image: $(PRU_IMAGES)
	@cat $(PRU)/overlays.txt

-include $(PRU_CORE_OBJ:.o=.d) $(PRU0_HAL_OBJ:.o=.d) $(PRU1_HAL_OBJ:.o=.d)
