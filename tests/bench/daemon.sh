#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs in the virtual board while it produces: what qs1d costs while the stream of all control
# periods is read, and how soon after a trip it shows, reports and stores it. Prints NAME VALUE lines.

set -eu

pid=$(systemctl show --property MainPID --value qs1d)
ticks=$(getconf CLK_TCK 2>/dev/null || echo 100)
store=/var/lib/qs1
red=$(echo /sys/class/leds/qs1:red*)
tracing=/sys/kernel/tracing
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Processor time of qs1d so far, in clock ticks: fields 14 and 15 of proc(5)'s stat.
used()
{
	local field
	read -ra field <"/proc/$pid/stat"
	echo $((field[13] + field[14]))
}

# $EPOCHREALTIME without its point: microseconds.
now_us()
{
	echo "${EPOCHREALTIME/[.,]/}"
}

cost()
{
	local stream begin from
	iio_readdev -u local: -b 2000 -s 400000 qs1-wave >/dev/null 2>&1 &
	stream=$!
	sleep 2
	from=$(used)
	begin=$(now_us)
	sleep 15
	echo "cpu_percent $(awk -v t="$(($(used) - from))" -v hz="$ticks" \
		-v us="$(($(now_us) - begin))" 'BEGIN { printf "%.2f", t / hz / us * 1e8 }')"
	awk '/^VmRSS:/ { print "rss_kib", $2 }' "/proc/$pid/status"
	kill "$stream" 2>/dev/null || true
	wait "$stream" 2>/dev/null || true
}

# The kernel's own record of what has reached the disk, on the clock of monotonic_ms.
trace_syncs()
{
	echo mono >$tracing/trace_clock
	: >$tracing/trace
	echo "$1" >$tracing/events/ext4/ext4_sync_file_exit/enable
}

# The time of each new line of events.
watch_events()
{
	timeout 10 qs1ctl -o kv events --follow 2>/dev/null | while IFS= read -r line; do
		[[ $line != *'kind="trip"'* ]] || echo "$(now_us) $line" >>"$work/events"
	done
}

# The first sync of a file of events after a time on the monotonic clock, in us.
first_sync_us()
{
	local inodes
	inodes=$(stat --format %i $store/events* | paste -s -d '|')
	awk -v after="$1" -v inodes="^($inodes)$" '/ext4_sync_file_exit/ {
		for (i = 1; i <= NF; i++) {
			if ($i ~ /^[0-9]+\.[0-9]+:$/)
				us = $i * 1e6
			if ($i == "ino" && $(i + 1) ~ inodes && us > after) {
				printf "%.0f\n", us
				exit
			}
		}
	}' $tracing/trace
}

# What the red LED shows: a pattern, or nothing while no trigger drives it.
red_shows()
{
	local pattern=
	{ read -r pattern <"$red/pattern"; } 2>/dev/null || true
	shows=$pattern
}

latency()
{
	local watcher before shows line shown trip offset sync
	watch_events >/dev/null &
	watcher=$!
	sleep 1
	: >"$work/events"
	red_shows
	before=$shows
	grid v 0.3
	while [ "$shows" = "$before" ]; do
		red_shows
	done
	shown=$(now_us)
	sleep 2
	grid v 1
	# real_ns of include/qs1/trip_wave.h
	trip=$(od -An -t d8 -j 40 -N 8 /sys/bus/pci/drivers/qs1-ivshmem/*/trip_wave)
	trip=$((trip / 1000))
	read -r line <"$work/events"
	offset=$(sed -n 's/.*time_ms=\([0-9]*\) monotonic_ms=\([0-9]*\).*/\1 \2/p' <<<"$line" |
		awk '{ printf "%.0f", ($1 - $2) * 1000 }')
	echo "trip_to_led_us $((shown - trip))"
	echo "trip_to_socket_us $((${line%% *} - trip))"
	sync=$(first_sync_us $((trip - offset)))
	echo "trip_to_storage_us $((sync + offset - trip))"
	wait "$watcher" || true
}

cost
trace_syncs 1
latency
trace_syncs 0
