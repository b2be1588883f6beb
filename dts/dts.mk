# SPDX-License-Identifier: GPL-2.0-only
#
# Device tree overlays of the boards, and Debian's own trees with them applied.

DTS := $(BUILD)/dts
DTBO := $(patsubst dts/%.dtso, $(DTS)/%.dtbo, $(wildcard dts/*.dtso))

$(DTS)/%.dtbo: dts/%.dtso
	@mkdir -p $(@D)
	$(call say,DTC)
	$(Q)dtc -@ -W no-avoid_unnecessary_addr_size -I dts -O dtb -o $@ $<

BOARD_DTBS := $(CACHE)/dtbs-v1/version
$(BOARD_DTBS): scripts/dtbs
	@scripts/dtbs

# overlaid OVERLAY, DEBIAN'S TREE: the inverter's overlay, and after it that of the radio.
define overlaid
$(DTS)/$(1).dtb: $(DTS)/$(1).dtbo | $(BOARD_DTBS)
	$$(call say,OVERLAY)
	$$(Q)fdtoverlay -i $(CACHE)/dtbs-v1/$(2).dtb -o $$@ $$^
$(DTS)/$(1)-radio.dtb: $(DTS)/$(1).dtbo $(DTS)/$(1)-radio.dtbo | $(BOARD_DTBS)
	$$(call say,OVERLAY)
	$$(Q)fdtoverlay -i $(CACHE)/dtbs-v1/$(2).dtb -o $$@ $$^
endef
$(eval $(call overlaid,qs1-beaglebone-black,am335x-boneblack))
$(eval $(call overlaid,qs1-beaglebone-ai,am5729-beagleboneai))
$(eval $(call overlaid,qs1-beagleplay,k3-am625-beagleplay))

.PHONY: dtbo board-dtbs dts-install
## make dtbo         device tree overlays of the boards, build/dts/*.dtbo
dtbo: $(DTBO)

## make board-dtbs   Debian's device trees of the boards with them applied, build/dts/*.dtb
board-dtbs: $(DTBO:.dtbo=.dtb)

# make dts-install DESTDIR=...
dts-install: $(DTBO)
	install -d $(DESTDIR)/usr/share/qs1-firmware/overlays
	install -m 644 $(DTBO) $(DESTDIR)/usr/share/qs1-firmware/overlays
