# SPDX-License-Identifier: GPL-2.0-only
#
# The long tests of the pages drive Chromium; one of the gateway's has another ZNP host.

.PHONY: browser
browser:
	@scripts/npm tests/web >/dev/null
	@scripts/npm tests/ecu/herdsman >/dev/null
