#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The gates as a PWM chip: only in the firmware's bench mode, and within the
# firmware's limits.

# shellcheck disable=SC2317 # check() calls the tests by name
# shellcheck source=tests/kselftest/tap.inc
. "$(dirname "$0")/tap.inc"

HEART=/tmp/qs1-heart.$$

board=$(board)
meter=$(iio qs1-meter)

# The chip's folder.
chip()
{
	echo "$board"/qs1.pwm.*/pwm/pwmchip*
}

chip=$(chip)

# Send heartbeats while the file exists. A check runs in a subshell, so it could not
# end this process otherwise.
start_heart()
{
	: >"$HEART"
	while [ -e "$HEART" ] && put x "$board/heartbeat"; do
		sleep 0.3
	done >/dev/null 2>&1 &
}

stop_heart()
{
	rm -f "$HEART"
}

in_state()
{
	[ "$(cat "$board/state")" = "$1" ]
}

bench_is()
{
	[ "$(cat "$board/bench")" = "$1" ]
}

shut_down()
{
	put 0 "$board/armed" || return 1
	wait_for 20 in_state shutdown || {
		echo "state is $(cat "$board/state")"
		return 1
	}
}

enter_bench()
{
	put 1 "$board/bench" && wait_for 15 bench_is 1
}

has_channels()
{
	equal 6 "$(cat "$chip/npwm")" npwm
}

busy_outside()
{
	bench_is 0 || return 1
	for channel in 0 1 2 3 4 5; do
		refused "Device or resource busy" "$channel" "$chip/export" || return 1
	done
}

no_bench_while_armed()
{
	put 1 "$board/armed" || return 1
	refused "Device or resource busy" 1 "$board/bench"
	armed_result=$?
	shut_down && return "$armed_result"
}

no_arming_on_the_bench()
{
	enter_bench && refused "Device or resource busy" 1 "$board/armed"
}

words_are_refused()
{
	refused "Invalid argument" maybe "$board/bench" &&
		refused "Invalid argument" 2 "$board/bench" && bench_is 1
}

export_all()
{
	for channel in 0 1 2 3 4 5; do
		put "$channel" "$chip/export" || return 1
	done
}

starts_off()
{
	for channel in 0 1 2 3 4 5; do
		pwm=$chip/pwm$channel
		period=10000
		[ "$channel" -lt 4 ] || period=50000
		equal "$period" "$(cat "$pwm/period")" "period of $channel, ns" &&
			equal 0 "$(cat "$pwm/duty_cycle")" "duty of $channel, ns" &&
			equal 0 "$(cat "$pwm/enable")" "enable of $channel" || return 1
	done
}

# Values beyond the firmware's limits change nothing. The longest pulses charge the link within a second, and
# the firmware trips: so they end at once, and no process starts between.
limits()
{
	put 1 "$chip/pwm0/enable" || return 1
	refused "Numerical result out of range" 3000 "$chip/pwm0/duty_cycle" &&
		equal 0 "$(cat "$chip/pwm0/duty_cycle")" duty_cycle &&
		refused "Invalid argument" 9999 "$chip/pwm0/period" &&
		refused "Invalid argument" inversed "$chip/pwm0/polarity" &&
		echo 2990 >"$chip/pwm0/duty_cycle" && echo 0 >"$chip/pwm0/duty_cycle"
	limits_result=$?
	put 0 "$chip/pwm0/enable" && return "$limits_result"
}

leg_limits()
{
	put 1 "$chip/pwm4/enable" || return 1
	refused "Numerical result out of range" 50000 "$chip/pwm4/duty_cycle" &&
		put 49980 "$chip/pwm4/duty_cycle" && put 0 "$chip/pwm4/duty_cycle"
	limits_result=$?
	put 0 "$chip/pwm4/enable" && return "$limits_result"
}

link_mv()
{
	cat "$meter/in_voltage4_raw"
}

link_above()
{
	[ "$(link_mv)" -gt "$1" ]
}

# The stage transfers energy from its module to the link in short pulses, and
# stops when the channel is disabled.
drives_the_stage()
{
	before=$(link_mv)
	put 400 "$chip/pwm1/duty_cycle" && put 1 "$chip/pwm1/enable" || return 1
	wait_for 10 link_above $((before + 5000)) || {
		echo "DC link: $before mV before, $(link_mv) mV with input 2 switching"
		return 1
	}
	put 0 "$chip/pwm1/enable" || return 1
	sleep 0.2
	after=$(link_mv)
	sleep 1
	between 0 $((after + 1000)) "$(link_mv)" "DC link after $after mV, mV"
}

channel_is_off()
{
	[ "$(cat "$chip/pwm2/enable")" = 0 ]
}

# The firmware has left bench mode: the gates are off, the channel reads disabled, and cannot be enabled.
ends_with_the_heartbeat()
{
	put 100 "$chip/pwm2/duty_cycle" && put 1 "$chip/pwm2/enable" || return 1
	stop_heart
	heart_may_pause no
	wait_for 20 bench_is 0 || {
		echo "still in bench mode"
		return 1
	}
	wait_for 5 channel_is_off || {
		echo "the channel is still enabled, its gate is off"
		return 1
	}
	refused "Device or resource busy" 1 "$board/bench" || return 1
	refused "Device or resource busy" 1 "$chip/pwm2/enable" || return 1
	start_heart
	heart_may_pause yes && wait_for 15 put 1 "$board/bench" && put 1 "$chip/pwm2/enable" &&
		put 0 "$chip/pwm2/enable"
}

# Unbinding the driver removes exported channels, too.
unbinds_in_use()
{
	child=$(basename "$board"/qs1.pwm.*)
	put 100 "$chip/pwm3/duty_cycle" && put 1 "$chip/pwm3/enable" || return 1
	# shellcheck disable=SC2217 # it holds the file open, and does not read
	sleep 30 <"$chip/pwm3/duty_cycle" >/dev/null 2>&1 &
	holder=$!
	put "$child" /sys/bus/auxiliary/drivers/qs1_pwm.pwm/unbind
	unbind_result=$?
	kill "$holder"
	wait "$holder" 2>/dev/null
	[ "$unbind_result" -eq 0 ] && put "$child" /sys/bus/auxiliary/drivers/qs1_pwm.pwm/bind ||
		return 1
	chip=$(chip)
	[ ! -e "$chip/pwm3" ] || return 1
	put 3 "$chip/export" && equal 0 "$(cat "$chip/pwm3/enable")" "enable after binding again"
}

leaves()
{
	put 0 "$board/bench" && wait_for 15 bench_is 0 && put 3 "$chip/unexport" &&
		refused "Device or resource busy" 3 "$chip/export"
}

pause_service
plan 16
start_heart
heart_may_pause yes
check "there are six channels" has_channels
check "the unit shuts down" shut_down
check "outside bench mode every channel is busy" busy_outside
check "bench mode is refused while armed" no_bench_while_armed
check "arming is refused in bench mode" no_arming_on_the_bench
check "other words do not change bench mode" words_are_refused
check "in bench mode all channels can be exported" export_all
check "they start off, with their fixed periods" starts_off
check "an input stage is limited by the firmware" limits
check "a leg is limited by the firmware" leg_limits
check "a driven stage transfers energy, and stops" drives_the_stage
check "bench mode ends with the heartbeat" ends_with_the_heartbeat
check "unbinding with a channel in use, and binding again" unbinds_in_use
check "leaving bench mode locks the channels" leaves
check "after that the unit can be armed" put 1 "$board/armed"
put 0 "$board/armed" >/dev/null
stop_heart
heart_may_pause no
check "no warning in the kernel's log" log_is_clean
finish
