#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Registers in debugfs, and trace points.

# shellcheck disable=SC2317 # check() calls the tests by name
# shellcheck source=tests/kselftest/tap.inc
. "$(dirname "$0")/tap.inc"

REGISTERS=$(echo /sys/kernel/debug/qs1-*/registers)
TRACING=/sys/kernel/tracing
FILE=$(mktemp)

register()
{
	sed -n "s/^$1 = //p" "$REGISTERS"
}

registers_are_shown()
{
	equal 0x46315351 "$(register fw.magic)" fw.magic || return 1
	equal "$(cat "$(board)/qs1_layout_version")" $(($(register fw.layout_version))) \
		fw.layout_version || return 1
	alive=$(register fw.alive)
	sleep 0.2
	[ "$alive" != "$(register fw.alive)" ]
}

registers_are_read_only()
{
	equal 400 "$(stat -c %a "$REGISTERS")" "mode of registers"
}

# traced EVENT COMMAND...: COMMAND makes the trace point fire
traced()
{
	traced_event=$1
	shift
	echo >"$TRACING/trace"
	echo 1 >"$TRACING/events/qs1/$traced_event/enable" || return 1
	"$@" >/dev/null
	traced_result=$?
	echo 0 >"$TRACING/events/qs1/$traced_event/enable"
	[ "$traced_result" -eq 0 ] || return 1
	grep -q "$traced_event: id=" "$TRACING/trace" || {
		echo "nothing from $traced_event"
		return 1
	}
}

disarm()
{
	put 0 "$(board)/armed"
}

# Arming changes the state only in the state shutdown.
shut_down()
{
	[ "$(cat "$(board)/state")" = shutdown ]
}

armed_is()
{
	line_of "$(board)/armed" && [ "$first_line" = "$1" ]
}

arm_and_disarm()
{
	wait_for 20 shut_down || return 1
	put x "$(board)/heartbeat" && put 1 "$(board)/armed" && wait_for 10 armed_is 1 &&
		disarm && wait_for 10 armed_is 0
}

stream()
{
	wave=$(iio qs1-wave)
	select_all 1
	echo 4096 >"$wave/buffer/length"
	echo 1 >"$wave/buffer/enable"
	timeout 10 head -c 48000 "/dev/${wave##*/}" >"$FILE"
	stream_result=$?
	echo 0 >"$wave/buffer/enable"
	return "$stream_result"
}

pause_service
[ -e "$TRACING/events" ] || mount -t tracefs tracefs "$TRACING"
plan 8
check "registers are shown" registers_are_shown
check "registers are for reading, by root" registers_are_read_only
check "a command is traced" traced qs1_mailbox disarm
check "doorbells are traced" traced qs1_doorbell disarm
check "events are traced" traced qs1_event arm_and_disarm
check "frames are traced" traced qs1_frame stream
check "the clock filter is traced" traced qs1_clock stream
check "no warning in the kernel's log" log_is_clean
rm -f "$FILE"
finish
