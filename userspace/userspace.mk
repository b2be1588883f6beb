# SPDX-License-Identifier: GPL-2.0-only
#
# Programs that run on Linux: the library they share, the daemon and the tool on
# the board, the simulator and the virtual board on the host.

-include userspace/lib/lib.mk
-include userspace/policy/policy.mk
-include userspace/link/link.mk
-include userspace/service/service.mk
-include userspace/qs1d/qs1d.mk
-include userspace/qs1ctl/qs1ctl.mk
-include userspace/plant/plant.mk
-include userspace/world/world.mk
-include userspace/feeder/feeder.mk
-include userspace/sim/sim.mk
-include userspace/vboard/vboard.mk
-include userspace/web/web.mk
-include userspace/ecud/ecud.mk
-include userspace/scan/scan.mk
-include userspace/ecuctl/ecuctl.mk
-include userspace/site/site.mk
-include userspace/wpan/wpan.mk
-include userspace/linkd/linkd.mk
-include userspace/fleet/fleet.mk
-include userspace/document/document.mk
-include userspace/emad/emad.mk
-include userspace/emactl/emactl.mk
