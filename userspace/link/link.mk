# SPDX-License-Identifier: GPL-2.0-only
#
# libqs1link: codecs of the radio link and the seal, for both of its ends and what simulates them.

LINK_SRC := $(wildcard userspace/link/*.c)
LINK_LIBS := -lsodium -lm
LINK_HOST := $(BUILD)/host/libqs1link.a
LINK_GUEST := $(BUILD)/guest/libqs1link.a
LINK_HOST_OBJ := $(LINK_SRC:%.c=$(BUILD)/host/%.o)
LINK_GUEST_OBJ := $(LINK_SRC:%.c=$(BUILD)/guest/%.o)

$(LINK_HOST): $(LINK_HOST_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(LINK_GUEST): $(LINK_GUEST_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(GUEST_TRIPLET)-ar rcs $@ $^

$(LINK_HOST_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

-include $(LINK_HOST_OBJ:.o=.d) $(LINK_GUEST_OBJ:.o=.d)

LINK_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_link_*.c))
$(LINK_TESTS): $(BUILD)/tests/%: tests/unit/%.c $(LINK_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) -Iuserspace/link -MMD -MP -o $@ $< $(LINK_HOST) -lcmocka $(LINK_LIBS)
