# SPDX-License-Identifier: GPL-2.0-only
#
# The control core for the PRUs of the AM335x. The compiler is the one that
# `make toolchain-pru` builds; nothing of this is part of `make all`.

PRU := $(BUILD)/pru
PRU_HAL := firmware/hal/am335x-pru
PRU_BIN := $(CACHE)/toolchain-pru/bin
PRU_CC := $(PRU_BIN)/pru-gcc

# 8 KB of instructions each: small before fast, and functions called once as functions of their own,
# which saves what the compiler keeps in memory around them.
PRU_CFLAGS := -std=gnu17 -Os -g -ffreestanding -ffunction-sections -fdata-sections \
	-fno-inline-functions-called-once $(SAME_ANYWHERE) $(WARN) $(CORE_INC) -I$(PRU_HAL) \
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

-include $(PRU_CORE_OBJ:.o=.d)
