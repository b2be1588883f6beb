# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The virtual board's prompt, on the console and in every other login shell.
if [ -n "${BASH-}" ] && [ -n "${PS1-}" ]; then
	PS1='qs1> '
	# systemd sets vt220 for a serial line; the terminal at the host has colour.
	[ "${TERM-}" = vt220 ] && export TERM=xterm-256color
fi
