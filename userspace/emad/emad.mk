# SPDX-License-Identifier: GPL-2.0-only
#
# emad: the monitoring service.

EMAD_SRC := $(wildcard userspace/emad/*.c)
EMAD_OBJ := $(EMAD_SRC:%.c=$(BUILD)/host/%.o)
EMAD_GENERATED := $(BUILD)/host/emad
EMAD_INCLUDES := $(SERVICE_INCLUDES) -Iuserspace/emad -I$(EMAD_GENERATED) $(WEB_INCLUDES) \
	-I/usr/include/postgresql
EMAD_LIBS = -lnats -lcurl -lpq -lsystemd $(SERVICE_LIBS)

# All but main(), for the tests.
EMAD_HOST := $(BUILD)/host/libemad.a
$(EMAD_HOST): $(filter-out %/main.o,$(EMAD_OBJ)) $(EMAD_GENERATED)/openapi.o
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(EMAD_OBJ): $(BUILD)/host/%.o: %.c | $(EMAD_GENERATED)/routes.inc
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(EMAD_INCLUDES) -MMD -MP -c -o $@ $<

# The document says which role may use which operation.
$(EMAD_GENERATED)/routes.inc: userspace/emad/openapi.json scripts/routes
	@mkdir -p $(@D)
	$(call say,ROUTES)
	$(Q)scripts/routes $< > $@

$(EMAD_GENERATED)/openapi.c: userspace/emad/openapi.json scripts/embed
	@mkdir -p $(@D)
	$(call say,EMBED)
	$(Q)scripts/embed emad_openapi $< > $@

$(EMAD_GENERATED)/openapi.o: $(EMAD_GENERATED)/openapi.c
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -c -o $@ $<

$(BUILD)/host/bin/emad: $(BUILD)/host/userspace/emad/main.o $(EMAD_HOST) $(WEB_EMA) $(SERVICE_HOST) $(USERLIB_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(EMAD_LIBS)

-include $(EMAD_OBJ:.o=.d)

EMAD_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_ema_*.c))
$(EMAD_TESTS): $(BUILD)/tests/%: tests/unit/%.c $(EMAD_HOST) $(ROOF_HOST) $(SERVICE_HOST) $(HOST_WORLD)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) $(EMAD_INCLUDES) $(FLEET_INCLUDES) -MMD -MP -o $@ $< $(EMAD_HOST) \
		$(ROOF_HOST) $(SERVICE_HOST) $(HOST_WORLD) -lcmocka $(EMAD_LIBS)

.PHONY: ema
## make ema          the monitoring service: build/host/bin/emad
ema: $(BUILD)/host/bin/emad $(BUILD)/host/bin/qs1-document $(BUILD)/qs1-fleet

## make ema-install DESTDIR=...   install the monitoring service on this machine
.PHONY: ema-install
ema-install: ema
	install -D -m 755 $(BUILD)/host/bin/emad $(DESTDIR)/usr/sbin/emad
	install -D -m 755 $(BUILD)/host/bin/emactl $(DESTDIR)/usr/bin/emactl
	install -D -m 644 userspace/emad/emad.conf $(DESTDIR)/etc/qs1/emad.conf
	install -D -m 755 $(BUILD)/host/bin/qs1-document $(DESTDIR)/usr/lib/qs1/qs1-document
	install -D -m 644 -t $(DESTDIR)/lib/systemd/system userspace/emad/system/emad.service
	install -D -m 644 -t $(DESTDIR)/usr/share/doc/qs1-ema/examples \
		userspace/emad/system/nginx-uplink.conf userspace/emad/system/qs1-ema-nginx.conf
	install -D -m 644 -t $(DESTDIR)/usr/share/man/man5 Documentation/man/emad.conf.5
	install -D -m 644 -t $(DESTDIR)/usr/share/man/man8 Documentation/man/emad.8 \
		Documentation/man/emactl.8

# For a benchmark: the store of a home after years.
EMA_YEARS := $(BUILD)/tests/ema-years
$(EMA_YEARS): tests/bench/ema_years.c $(EMAD_HOST) $(ROOF_HOST) $(SERVICE_HOST) $(HOST_WORLD) $(USERLIB_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) $(EMAD_INCLUDES) -Iuserspace/fleet -MMD -MP -o $@ $< $(EMAD_HOST) \
		$(ROOF_HOST) $(SERVICE_HOST) $(HOST_WORLD) $(USERLIB_HOST) $(EMAD_LIBS)

# For a test: row-level security alone, without the predicate of the program.
EMAD_RLS_OBJ := $(EMAD_SRC:%.c=$(BUILD)/rls/%.o)
$(EMAD_RLS_OBJ): $(BUILD)/rls/%.o: %.c | $(EMAD_GENERATED)/routes.inc
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) $(EMAD_INCLUDES) -DEMAD_WITHOUT_PREDICATE -MMD -MP -c -o $@ $<

$(BUILD)/tests/emad-rls: $(EMAD_RLS_OBJ) $(EMAD_GENERATED)/openapi.o $(WEB_EMA) $(SERVICE_HOST) $(USERLIB_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(EMAD_LIBS)

-include $(EMAD_RLS_OBJ:.o=.d)

# Programs of the tests in tests/ema.
.PHONY: ema-tests
ema-tests: ema $(BUILD)/tests/emad-rls
