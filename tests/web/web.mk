# SPDX-License-Identifier: GPL-2.0-only
#
# The long tests of the pages drive Chromium.

.PHONY: browser
browser:
	@scripts/npm tests/web >/dev/null
