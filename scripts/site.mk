# SPDX-License-Identifier: GPL-2.0-only
#
# The simulated site: make site.

SITE_RUN := PYTHONPATH=scripts PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m sitesim
# An option of scripts/sitesim for each variable that is set.
SITE_OPTIONS = $(foreach name,UNITS PHASES BOARD SCENARIO SPEED FRESH PAIRED LISTEN ECU_PORT EMA_PORT MODBUS_PORT \
	APS_PORT SEED CADENCE,$(if $($(name)),--$(subst _,-,$(call lower,$(name))) "$($(name))"))
lower = $(shell echo $(1) | tr A-Z a-z)

.PHONY: site site-programs
## make site [UNITS=n] [PHASES=1|3|split]   inverters on one feeder, their radio, an ECU, an MQTT broker; ends at
##   the site's console
##   HEADLESS=1 FOR=s  no console: run for FOR simulated seconds, write build/site/summary.json
##   BOARD=1  unit 1 is a whole virtual board
##   SCENARIO=file SPEED=x SEED=n CADENCE=s FRESH=1 PAIRED=0 LISTEN=addr ECU_PORT= EMA_PORT= MODBUS_PORT=
##   APS_PORT=
site:
	@$(MAKE) --no-print-directory site-programs $(if $(filter 1,$(BOARD)),$(BOARD_PARTS))
	@$(SITE_RUN) $(SITE_OPTIONS) $(if $(filter 1,$(HEADLESS)),--headless) $(if $(FOR),--for $(FOR))
site-programs: $(BUILD)/qs1-site $(BUILD)/host/bin/ecud $(BUILD)/host/bin/emad
