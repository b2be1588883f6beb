#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Sleep of the system and of the device: the power stage is off first, and stays
# off until somebody has said otherwise. The system goes to sleep as far as the
# devices are concerned, and is woken up a second later (pm_test).

# shellcheck disable=SC2317 # check() calls the tests by name
# shellcheck source=tests/kselftest/tap.inc
. "$(dirname "$0")/tap.inc"

HEART=/tmp/qs1-heart.$$
TRACING=/sys/kernel/tracing

board=$(board)
chip=$(echo "$board"/qs1.pwm.*/pwm/pwmchip*)

# It beats as long as its file is there, but when all programs stand still.
start_heart()
{
	: >"$HEART"
	while [ -e "$HEART" ] && put x "$board/heartbeat"; do
		sleep 0.3
	done >/dev/null 2>&1 &
}

state_is()
{
	[ "$(cat "$board/state")" = "$1" ]
}

armed_is()
{
	[ $(($(cat "$board/status_flags") >> 12 & 1)) -eq "$1" ]
}

bench_is()
{
	[ "$(cat "$board/bench")" = "$1" ]
}

# Inputs, bridge and relay.
stage_is_off()
{
	[ $(($(cat "$board/status_flags") & 0x3f0)) -eq 0 ] || {
		echo "status is $(cat "$board/status_flags")"
		return 1
	}
}

can_sleep()
{
	[ -e /sys/power/pm_test ] && grep -q freeze /sys/power/state
}

# sleep_once: as far as the devices, and back
sleep_once()
{
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	echo devices >/sys/power/pm_test
	put freeze /sys/power/state
	sleep_result=$?
	echo none >/sys/power/pm_test
	return "$sleep_result"
}

# The firmware has shown itself, and its news come.
works_again()
{
	firmware_running || return 1
	ticks=$(cat "$board/telemetry_ticks")
	wait_for 10 ticks_move && put x "$board/heartbeat" && put disarm "$board/control"
}

ticks_move()
{
	[ "$(cat "$board/telemetry_ticks")" != "$ticks" ]
}

arm()
{
	put arm "$board/control" && wait_for 10 armed_is 1
}

sleeps_disarmed()
{
	crashes=$(cat "$board/coproc_crashes")
	arm && sleep_once || return 1
	wait_for 10 state_is shutdown && armed_is 0 && stage_is_off && works_again &&
		equal "$crashes" "$(cat "$board/coproc_crashes")" coproc_crashes
}

enter_bench()
{
	put disarm "$board/control" && wait_for 20 state_is shutdown &&
		put 1 "$board/bench" && wait_for 10 bench_is 1
}

# trace_line COMMAND: the line of the trace in which this command is
trace_line()
{
	grep -n "qs1_mailbox: .*$1" "$TRACING/trace" | tail -n 1 | cut -d : -f 1
}

# enum qs1_op: 12 is a channel's duty, 11 the bench mode, 8 disarms.
stops_pwm_first()
{
	enter_bench && put 1 "$chip/export" || return 1
	put 1000 "$chip/pwm1/duty_cycle" && put 1 "$chip/pwm1/enable" || return 1
	echo >"$TRACING/trace"
	echo 1 >"$TRACING/events/qs1/qs1_mailbox/enable"
	sleep_once
	pwm_result=$?
	echo 0 >"$TRACING/events/qs1/qs1_mailbox/enable"
	[ "$pwm_result" -eq 0 ] && wait_for 10 bench_is 0 && stage_is_off || return 1
	duty=$(trace_line 'op=12 arg=1 value=0')
	bench=$(trace_line 'op=11 arg=0 value=0')
	disarm=$(trace_line 'op=8 ')
	between 1 "$((bench - 1))" "$duty" "line of the duty" &&
		between "$duty" "$((disarm - 1))" "$bench" "line of the bench mode"
}

# Bench mode has ended under a channel that is still enabled: that is no reason to stay awake.
sleeps_without_bench_mode()
{
	enter_bench && put 0 "$chip/pwm1/enable" && put 1 "$chip/pwm1/enable" || return 1
	put 0 "$board/bench" && wait_for 10 bench_is 0 && sleep_once && stage_is_off
}

# The consumer has to begin anew: in bench mode, disable and enable.
pwm_begins_anew()
{
	enter_bench && put 0 "$chip/pwm1/enable" && put 1 "$chip/pwm1/enable"
	anew_result=$?
	put 1 "$chip/unexport"
	put 0 "$board/bench" && wait_for 10 bench_is 0 && return "$anew_result"
}

stream_goes_on()
{
	wave=$(iio qs1-wave)
	select_all 1
	echo 8192 >"$wave/buffer/length"
	echo 1 >"$wave/buffer/enable"
	sleep_once && timeout 20 head -c $((20000 * 48)) "/dev/${wave##*/}" | wc -c >"$HEART.bytes"
	equal $((20000 * 48)) "$(tr -d ' ' <"$HEART.bytes")" "bytes after sleep"
	stream_result=$?
	echo 0 >"$wave/buffer/enable"
	rm -f "$HEART.bytes"
	return "$stream_result"
}

runtime_is()
{
	[ "$(cat "$board/power/runtime_status")" = "$1" ]
}

sleeps_when_it_may_not_produce()
{
	put disarm "$board/control" && put auto "$board/power/control" || return 1
	wait_for 20 runtime_is suspended || {
		echo "runtime_status is $(cat "$board/power/runtime_status")"
		return 1
	}
}

stays_awake_while_armed()
{
	arm && runtime_is active || return 1
	# Longer than the autosuspend delay.
	sleep 3
	runtime_is active && put disarm "$board/control" && wait_for 20 runtime_is suspended
}

stays_awake_in_bench_mode()
{
	enter_bench || return 1
	sleep 3
	runtime_is active && put 0 "$board/bench" && wait_for 20 runtime_is suspended
}

# Whoever asks for a measurement gets it, without waking anybody.
readable_asleep()
{
	wait_for 20 runtime_is suspended && cat "$(iio qs1-meter)/in_voltage0_raw" >/dev/null &&
		runtime_is suspended
}

system_sleeps_over_device_sleep()
{
	wait_for 20 runtime_is suspended && sleep_once && works_again
}

pause_service
[ -e "$TRACING/events" ] || mount -t tracefs tracefs "$TRACING"
plan 11
start_heart
heart_may_pause yes
if can_sleep; then
	check "the system sleeps disarmed, and the firmware is there afterwards" sleeps_disarmed
	check "duties end first, then bench mode, then arming" stops_pwm_first
	check "an enabled duty without bench mode keeps nobody awake" sleeps_without_bench_mode
	check "a PWM consumer begins anew" pwm_begins_anew
	check "a stream goes on after sleep" stream_goes_on
	check "an inverter that may not produce sleeps" sleeps_when_it_may_not_produce
	check "it stays awake while armed" stays_awake_while_armed
	check "it stays awake in bench mode" stays_awake_in_bench_mode
	check "it can be read asleep" readable_asleep
	check "the system sleeps while it does" system_sleeps_over_device_sleep
else
	for name in 1 2 3 4 5 6 7 8 9 10; do
		check "sleep $name" sh -c 'echo "this kernel can not test sleep"; exit 4'
	done
fi
echo on >"$board/power/control"
rm -f "$HEART"
heart_may_pause no
check "no warning in the kernel's log" log_is_clean
finish
