#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# GPIO lines and LEDs.

# shellcheck disable=SC2317 # check() calls the tests by name
# shellcheck source=tests/kselftest/tap.inc
. "$(dirname "$0")/tap.inc"

LINES="led-green led-red enable emergency-stop-n relay"
GREEN=/sys/class/leds/qs1:green:status
RED=/sys/class/leds/qs1:red:fault

# The chip's lines as the kernel shows them.
lines()
{
	sed -n '/qs1-gpio/,/^$/p' /sys/kernel/debug/gpio
}

# level NAME: hi or lo
level()
{
	lines | sed -n "s/.*($1 *|.*\(hi\|lo\).*/\1/p"
}

has_chip()
{
	lines | grep -q qs1-gpio
}

names_lines()
{
	for line in $LINES; do
		gpiofind "$line" >/dev/null || {
			echo "no line $line"
			return 1
		}
	done
}

# A policy program that lives: its silence takes the LEDs away.
heartbeat()
{
	echo 1 >"$(board)/heartbeat"
}

level_is()
{
	[ "$(level "$1")" = "$2" ]
}

# As level_is, while the policy program lives.
alive_level_is()
{
	heartbeat && level_is "$@"
}

# wait_level CHECK LINE LEVEL WHAT: until CHECK, one of the above, holds
wait_level()
{
	wait_for 15 "$1" "$2" "$3" || equal "$3" "$(level "$2")" "$2 $4"
}

# drives LED LINE
drives()
{
	echo none >"$1/trigger"
	for pair in 1:hi 0:lo; do
		echo "${pair%:*}" >"$1/brightness" &&
			wait_level alive_level_is "$2" "${pair#*:}" "at brightness ${pair%:*}" || return 1
	done
}

# Nobody speaks for the LEDs any more: green goes out, red blinks, whatever was set.
silence_is_shown()
{
	echo none >"$GREEN/trigger"
	echo 1 >"$GREEN/brightness"
	wait_level alive_level_is led-green hi "at first" &&
		wait_level level_is led-green lo "after silence" || return 1
	for level in hi lo hi; do
		wait_level level_is led-red "$level" "in its turn" || return 1
	done
	# The next setting after a heartbeat is what is shown again.
	echo 1 >"$GREEN/brightness"
	wait_level alive_level_is led-green hi "after a heartbeat"
}

leds_are_taken()
{
	! gpioget "$(gpiofind led-green | cut -d ' ' -f 1)" 0 2>/dev/null
}

# reads NAME: 0 or 1
reads()
{
	# shellcheck disable=SC2046 # chip and line
	gpioget $(gpiofind "$1")
}

relay_reads()
{
	flags=$(cat "$(board)/status_flags")
	equal $((flags >> 9 & 1)) "$(reads relay)" "relay at status $flags"
}

relay_is_input()
{
	# shellcheck disable=SC2046 # chip and line
	! gpioset $(gpiofind relay)=1 2>/dev/null
}

# set NAME LEVEL
set_line()
{
	# shellcheck disable=SC2046 # chip and line
	gpioset $(gpiofind "$1")="$2"
}

armed_is()
{
	[ $(($(cat "$(board)/status_flags") >> 12 & 1)) -eq "$1" ]
}

# takes_permission LINE: low it disarms, and high again it does not arm
takes_permission()
{
	put x "$(board)/heartbeat" && put arm "$(board)/control" && wait_for 15 armed_is 1 || return 1
	set_line "$1" 0
	wait_for 15 armed_is 0
	taken=$?
	[ "$1" != enable ] || refused "Device or resource busy" arm "$(board)/control" || taken=1
	set_line "$1" 1
	[ "$taken" -eq 0 ] || {
		echo "$1 is low: status is $(cat "$(board)/status_flags")"
		return 1
	}
	sleep 0.5
	armed_is 0
}

pause_service
plan 11
check "there is a chip of the driver" has_chip
if command -v gpiofind >/dev/null; then
	check "lines have their names" names_lines
	check "LED lines are in use" leds_are_taken
	check "the relay's line follows the firmware" relay_reads
	check "the relay's line is an input" relay_is_input
	check "without the enable line nothing is armed" takes_permission enable
	check "the emergency stop disarms" takes_permission emergency-stop-n
else
	for name in "lines have their names" "LED lines are in use" \
		"the relay's line follows the firmware" "the relay's line is an input" \
		"without the enable line nothing is armed" "the emergency stop disarms"; do
		check "$name" sh -c 'echo "no gpiod tools"; exit 4'
	done
fi
check "the green LED drives its line" drives "$GREEN" led-green
check "the red LED drives its line" drives "$RED" led-red
check "silence of the policy program shows" silence_is_shown
check "no warning in the kernel's log" log_is_clean
finish
