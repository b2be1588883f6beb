# SPDX-License-Identifier: GPL-2.0-only
#
# The simulated site. qs1-ether: the air between modems on pseudo terminals.

SITE_INCLUDES := -Iuserspace/link -Iuserspace/lib -Iuserspace/policy -Iuserspace/site
SITE_LIBS := -ljson-c $(LINK_LIBS)

# The air and what is on it, in virtual time, for the program and for tests.
ETHER_SRC := $(addprefix userspace/site/, air.c console.c inverter.c modem.c node.c medium.c modem_port.c pcap.c stack.c steady.c)
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

# The gateway's unit tests, whose rule comes before, have units on the simulated air.
$(ECU_TESTS): $(ETHER_HOST)

AIR_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_air*.c))
ETHER_PARTS := $(ETHER_HOST) $(POLICY_HOST) $(LINK_HOST) $(USERLIB_HOST)
$(AIR_TESTS): $(BUILD)/tests/%: tests/unit/%.c $(ETHER_PARTS)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) $(SITE_INCLUDES) -MMD -MP -o $@ $< $(ETHER_PARTS) \
		-lcmocka $(SITE_LIBS)

ETHER_PROGRAMS := $(BUILD)/qs1-ether $(BUILD)/qs1-poll
$(BUILD)/qs1-ether: $(BUILD)/host/userspace/site/ether.o $(ETHER_PARTS)
# It reads with the gateway's radio.
$(BUILD)/host/userspace/site/poll_main.o: SITE_INCLUDES += -Iuserspace/ecud -Iuserspace/service
$(BUILD)/qs1-poll: $(BUILD)/host/userspace/site/poll_main.o $(ECUD_RADIO) $(LINK_HOST) $(USERLIB_HOST)
$(ETHER_PROGRAMS):
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(SITE_LIBS)

-include $(BUILD)/host/userspace/site/ether.d $(BUILD)/host/userspace/site/poll_main.d

# The site itself: units with the control core on a feeder. It shares the services' clock.
SITE_OBJ := $(addprefix $(BUILD)/host/userspace/site/,main.o whole.o)
$(SITE_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(SITE_INCLUDES) -Iuserspace/service $(FEEDER_INCLUDES) $(VBOARD_INCLUDES) \
		-MMD -MP -c -o $@ $<

$(BUILD)/qs1-site: $(SITE_OBJ) $(BUILD)/host/userspace/service/service_clock.o $(ETHER_HOST) \
		$(VBOARD_HOST) $(HOST_FEEDER) $(POLICY_HOST) $(LINK_HOST) $(USERLIB_HOST)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(SITE_LIBS)

-include $(SITE_OBJ:.o=.d)

.PHONY: ether
ether: $(ETHER_PROGRAMS)
