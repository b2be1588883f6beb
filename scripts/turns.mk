# SPDX-License-Identifier: GPL-2.0-only
#
# Two makes in one folder must not build at the same time: they would write the same files. So a make
# that builds starts itself again behind a lock of the folder (scripts/in-turn), with MY_TURN set. The
# commands below do not build: they call make for what they need, which takes the lock for that time
# only, so that a board can run beside a build or a test.

COMMANDS := help run guest site test test-all check conformance sequences bench fuzz test-m4 test-pru test-hosts \
	driver-debug-test

GOALS := $(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))

ifeq ($(filter-out $(COMMANDS),$(GOALS)),)
MY_TURN ?= not needed
endif

ifndef MY_TURN
.PHONY: $(GOALS) in-turn
$(GOALS): in-turn
	@:

in-turn:
	+@scripts/in-turn $(MAKE) --no-print-directory $(filter-out $(COMMANDS),$(GOALS))
	$(if $(filter $(COMMANDS),$(GOALS)),+@$(MAKE) --no-print-directory $(filter $(COMMANDS),$(GOALS)))
endif
