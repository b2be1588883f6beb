# SPDX-License-Identifier: GPL-2.0-only
#
# Generated inverters, and the load generator of the monitoring service.

FLEET_INCLUDES := $(SERVICE_INCLUDES) -Iuserspace/fleet
ROOF_HOST := $(BUILD)/host/libroof.a
ROOF_OBJ := $(BUILD)/host/userspace/fleet/roof.o

$(BUILD)/host/userspace/fleet/%.o: userspace/fleet/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(FLEET_INCLUDES) -MMD -MP -c -o $@ $<

$(ROOF_HOST): $(ROOF_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

-include $(ROOF_OBJ:.o=.d)

$(BUILD)/tests/test_fleet_days: tests/unit/test_fleet_days.c $(ROOF_HOST) $(SERVICE_HOST) $(HOST_WORLD)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) $(FLEET_INCLUDES) -MMD -MP -o $@ $< $(ROOF_HOST) $(SERVICE_HOST) \
		$(HOST_WORLD) -lcmocka $(SERVICE_LIBS)

FLEET_OBJ := $(patsubst %.c,$(BUILD)/host/%.o,$(filter-out %/roof.c,$(wildcard userspace/fleet/*.c)))
$(BUILD)/qs1-fleet: $(FLEET_OBJ) $(ROOF_HOST) $(SERVICE_HOST) $(HOST_WORLD)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ -lcurl $(SERVICE_LIBS)

-include $(FLEET_OBJ:.o=.d)

ECUS := 100
## make fleet [ECUS=n] [HEADLESS=1 FOR=seconds]   the monitoring service in parts between NATS and
##   PostgreSQL, with n generated ECUs
.PHONY: fleet servers
fleet: ema
	@scripts/fleet --ecus $(ECUS) $(if $(HEADLESS),--headless --seconds $(or $(FOR),60))

# Nothing to build: the packages of its group are installed.
servers:
	@:
