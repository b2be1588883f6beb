# SPDX-License-Identifier: GPL-2.0-only
#
# qs1d: the daemon, for the board and, for its tests, for the host.

QS1D_SRC := $(wildcard userspace/qs1d/*.c)
QS1D_LIBS := -ljson-c -lsystemd -lsodium -lm

QS1D_GUEST_OBJ := $(QS1D_SRC:%.c=$(BUILD)/guest/%.o)
QS1D_HOST_OBJ := $(QS1D_SRC:%.c=$(BUILD)/host/%.o)

# All but main(), for the tests.
QS1D_HOST := $(BUILD)/host/libqs1d.a
$(QS1D_HOST): $(filter-out %/main.o,$(QS1D_HOST_OBJ))
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(QS1D_HOST_OBJ): $(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/host/bin/qs1d: $(BUILD)/host/userspace/qs1d/main.o $(QS1D_HOST) $(POLICY_HOST) $(LINK_HOST) $(USERLIB_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -o $@ $^ $(QS1D_LIBS)

$(BUILD)/guest/bin/qs1d: $(QS1D_GUEST_OBJ) $(POLICY_GUEST) $(LINK_GUEST) $(USERLIB_GUEST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(GUEST_CC) $(GUEST_LDFLAGS) -o $@ $^ $(QS1D_LIBS)

-include $(QS1D_HOST_OBJ:.o=.d) $(QS1D_GUEST_OBJ:.o=.d)

# Tests that link the daemon.
QS1D_TESTS := $(addprefix $(BUILD)/tests/,test_command test_energy test_policy test_policy_walk test_profile test_writer test_persist test_store \
	test_daemon test_recorder)
$(QS1D_TESTS): $(BUILD)/tests/%: tests/unit/%.c $(QS1D_HOST) $(POLICY_HOST) $(LINK_HOST) $(USERLIB_HOST)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(HOST_CFLAGS) -Iuserspace/lib -Iuserspace/policy -Iuserspace/qs1d -MMD -MP -o $@ $< \
		$(QS1D_HOST) $(POLICY_HOST) $(LINK_HOST) $(USERLIB_HOST) -lcmocka $(QS1D_LIBS)
