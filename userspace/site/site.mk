# SPDX-License-Identifier: GPL-2.0-only
#
# The simulated site. qs1-ether: the air between modems on pseudo terminals.

SITE_INCLUDES := -Iuserspace/link -Iuserspace/lib -Iuserspace/site

# The air and what is on it, in virtual time, for the program and for tests.
ETHER_SRC := $(addprefix userspace/site/, air.c modem.c node.c pcap.c poller.c stack.c)
ETHER_OBJ := $(ETHER_SRC:%.c=$(BUILD)/host/%.o)
ETHER_HOST := $(BUILD)/host/libqs1ether.a

$(ETHER_HOST): $(ETHER_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/host/userspace/site/%.o: userspace/site/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(SITE_INCLUDES) -MMD -MP -c -o $@ $<

-include $(ETHER_OBJ:.o=.d)

AIR_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_air*.c))
$(AIR_TESTS): $(BUILD)/tests/%: tests/unit/%.c $(ETHER_HOST) $(LINK_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) $(SITE_INCLUDES) -MMD -MP -o $@ $< $(ETHER_HOST) $(LINK_HOST) \
		-lcmocka $(LINK_LIBS)

ETHER_PROGRAMS := $(BUILD)/qs1-ether $(BUILD)/qs1-poll
$(BUILD)/qs1-ether: $(BUILD)/host/userspace/site/ether.o $(ETHER_HOST) $(LINK_HOST)
$(BUILD)/qs1-poll: $(BUILD)/host/userspace/site/poll_main.o $(ETHER_HOST) $(LINK_HOST)
$(ETHER_PROGRAMS):
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(LINK_LIBS)

-include $(BUILD)/host/userspace/site/ether.d $(BUILD)/host/userspace/site/poll_main.d

.PHONY: ether
ether: $(ETHER_PROGRAMS)
