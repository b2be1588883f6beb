# SPDX-License-Identifier: GPL-2.0-only
#
# The virtual board: make run, make guest.

PYTHON := /usr/bin/python3
BOARD_RUN := PYTHONPATH=scripts PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m board

COPROC ?= m4
SPEED ?= 1

# What a running board is made of, and the description of its image (scripts/image).
BOARD_PARTS := vboard firmware-virt image
blank := $(empty) $(empty)
IMAGE := $(BUILD)/guest$(KERNEL_SUFFIX)/guest$(addprefix -,$(subst $(blank),+,$(strip $(PKGS)))).json

.PHONY: run guest
## make run          boot the virtual board and end at its console
##   HEADLESS=1 FOR=s  no console: run for FOR simulated seconds, write build/run/summary.json
##   SCENARIO=file SPEED=x COPROC=m4|native
run:
	@$(MAKE) --no-print-directory $(BOARD_PARTS)
	@$(BOARD_RUN) --image $(IMAGE) --scenario "$(SCENARIO)" --coproc $(COPROC) --speed $(SPEED) \
		run $(if $(filter 1,$(HEADLESS)),--headless) $(if $(FOR),--for $(FOR))

## make guest CMD='...' | SCRIPT=file   run it as root in the board's Linux
##   SCENARIO=file PKGS='...'
# The text of CMD reaches the shell in the guest as it was typed: make would
# take a $ in it for its own.
unexport CMD
guest: export QS1_CMD := $(value CMD)
guest:
	@$(MAKE) --no-print-directory $(BOARD_PARTS)
	@$(BOARD_RUN) --image $(IMAGE) --scenario "$(SCENARIO)" --coproc $(COPROC) --speed $(SPEED) \
		guest $(if $(SCRIPT),--script "$(SCRIPT)",--cmd="$$QS1_CMD")
