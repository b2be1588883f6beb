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
HEART=/tmp/qs1-gpio-heart.$$

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

# As the policy program sends it. Without heartbeats the driver takes over the LEDs.
heartbeat()
{
	echo 1 >"$(board)/heartbeat"
}

level_is()
{
	[ "$(level "$1")" = "$2" ]
}

# As level_is, after a heartbeat.
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

# Without heartbeats green goes out and red blinks, whatever was set.
missing_heartbeats_are_shown()
{
	echo none >"$GREEN/trigger"
	echo 1 >"$GREEN/brightness"
	wait_level alive_level_is led-green hi "at first" &&
		wait_level level_is led-green lo "without heartbeats" || return 1
	for level in hi lo hi; do
		wait_level level_is led-red "$level" "while it blinks" || return 1
	done
	# After a heartbeat the LED shows the next setting.
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

state_is()
{
	[ "$(cat "$(board)/state")" = "$1" ]
}

# Send heartbeats while the file exists.
start_heart()
{
	: >"$HEART"
	while [ -e "$HEART" ] && heartbeat; do
		sleep 0.3
	done >/dev/null 2>&1 &
}

# produce, stop_producing: without the enter-service delay
produce()
{
	put 0 "$(board)/armed" && put 0 "$(board)/params/es_delay_s" &&
		put 1 "$(board)/armed" || return 1
	wait_for 60 state_is producing || equal producing "$(cat "$(board)/state")" state
}

stop_producing()
{
	put 0 "$(board)/armed"
	wait_for 20 state_is shutdown &&
		put "$(cat "$(board)/params_default/es_delay_s")" "$(board)/params/es_delay_s"
}

relay_is()
{
	[ "$(reads relay)" = "$1" ]
}

# The driver of the lines is bound while the relay is closed: that is no edge, and the next one is not missed.
rebind_lines()
{
	lines=$(basename "$(board)"/qs1.gpio.*)
	put "$lines" /sys/bus/auxiliary/drivers/qs1_gpio.gpio/unbind &&
		put "$lines" /sys/bus/auxiliary/drivers/qs1_gpio.gpio/bind && wait_for 15 relay_is 1
}

# The relay is closed while the unit produces and open afterwards. Each change gives an event. A line that is
# monitored cannot be read.
relay_follows()
{
	start_heart
	produce && wait_for 10 relay_is 1 && rebind_lines
	closed=$?
	[ "$closed" -eq 0 ] || echo "relay reads $(reads relay) at status $(cat "$(board)/status_flags")"
	# shellcheck disable=SC2046 # chip and line
	timeout 120 gpiomon --num-events=2 --format=%e $(gpiofind relay) >"$HEART.edges" &
	monitor=$!
	sleep 1
	put 0 "$(board)/armed" && wait_for 20 state_is shutdown && produce && wait "$monitor" &&
		equal "0 1" "$(tr '\n' ' ' <"$HEART.edges" | sed 's/ $//')" "edges of the relay, 1 is rising"
	edges_result=$?
	stop_producing && wait_for 20 relay_is 0 && [ "$closed" -eq 0 ] && [ "$edges_result" -eq 0 ]
	relay_result=$?
	rm -f "$HEART" "$HEART.edges"
	return "$relay_result"
}

# An output changes only when a program sets it.
outputs_have_no_interrupt()
{
	# shellcheck disable=SC2046 # chip and line
	! timeout 5 gpiomon --num-events=1 $(gpiofind enable) 2>/dev/null
}

relay_is_input()
{
	# shellcheck disable=SC2046 # chip and line
	! gpioset $(gpiofind relay)=1 2>/dev/null
}

# set_line NAME LEVEL
set_line()
{
	# shellcheck disable=SC2046 # chip and line
	gpioset $(gpiofind "$1")="$2"
}

armed_is()
{
	[ $(($(cat "$(board)/status_flags") >> 12 & 1)) -eq "$1" ]
}

# takes_permission LINE: a low level disarms; a high level does not arm again
takes_permission()
{
	put x "$(board)/heartbeat" && put 1 "$(board)/armed" && wait_for 15 armed_is 1 || return 1
	set_line "$1" 0
	wait_for 15 armed_is 0
	taken=$?
	[ "$1" != enable ] || refused "Device or resource busy" 1 "$(board)/armed" || taken=1
	set_line "$1" 1
	[ "$taken" -eq 0 ] || {
		echo "$1 is low: status is $(cat "$(board)/status_flags")"
		return 1
	}
	sleep 0.5
	armed_is 0
}

pause_service
plan 12
heart_may_pause yes
check "the driver has a GPIO chip" has_chip
check "lines have their names" names_lines
check "LED lines are in use" leds_are_taken
check "the relay's line follows the firmware, and so do its interrupts" relay_follows
check "the relay's line is an input" relay_is_input
check "outputs have no interrupt" outputs_have_no_interrupt
check "a low enable line disarms and prevents arming" takes_permission enable
check "the emergency stop disarms" takes_permission emergency-stop-n
check "the green LED drives its line" drives "$GREEN" led-green
check "the red LED drives its line" drives "$RED" led-red
heart_may_pause no
check "the LEDs show missing heartbeats" missing_heartbeats_are_shown
check "no warning in the kernel's log" log_is_clean
finish
