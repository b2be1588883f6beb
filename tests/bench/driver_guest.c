// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs in the virtual board for driver.py: programs that use the IIO devices and cost little
 * themselves.
 *
 *   read DEVICE SCAN-BYTES SECONDS   reads a buffer; prints scans and seconds
 *   poll FOLDER HZ SECONDS           reads every in_*_raw HZ times a second; prints rounds and
 * seconds wake DEVICE EVENTS       prints for each change of state in the stream how long
 * after it, in us, a program that waits for the attribute EVENTS woke up
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <qs1/abi.h>

#define NS 1000000000LL
#define CHANGES_MAX 1024

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS + now.tv_nsec;
}

static int open_or_die(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		die(path);
	return fd;
}

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* False when the time is over, or after a signal to stop. */
static bool wait_readable(int fd, int64_t end)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	while (!stopped && now_ns() < end)
		if (poll(&wait, 1, 100) > 0)
			return true;
	return false;
}

static int do_read(char **arg)
{
	static char buffer[1 << 17];
	int fd = open_or_die(arg[0]);
	size_t size = atoi(arg[1]);
	size_t whole = sizeof(buffer) / size * size;
	int64_t begin = now_ns();
	int64_t end = begin + atoi(arg[2]) * NS;
	long long bytes = 0;

	while (wait_readable(fd, end)) {
		ssize_t got = read(fd, buffer, whole);

		if (got < 0)
			die(arg[0]);
		bytes += got;
	}
	printf("%lld %.3f\n", bytes / (long long)size, (double)(now_ns() - begin) / NS);
	return 0;
}

/* At fixed times, so that a round that comes late is not lost. */
static int do_poll(char **arg)
{
	char pattern[256];
	int64_t begin = now_ns();
	int64_t next = begin;
	int64_t end = begin + atoi(arg[2]) * NS;
	int64_t step = NS / atoi(arg[1]);
	long rounds = 0;
	glob_t found;
	int *fds;
	size_t i;

	snprintf(pattern, sizeof(pattern), "%s/in_*_raw", arg[0]);
	if (glob(pattern, 0, NULL, &found))
		die(pattern);
	fds = calloc(found.gl_pathc, sizeof(*fds));
	for (i = 0; i < found.gl_pathc; i++)
		fds[i] = open_or_die(found.gl_pathv[i]);
	for (; next < end; next += step, rounds++) {
		struct timespec at = { .tv_sec = next / NS, .tv_nsec = next % NS };
		char text[32];

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		for (i = 0; i < found.gl_pathc; i++)
			if (pread(fds[i], text, sizeof(text), 0) <= 0)
				die(found.gl_pathv[i]);
	}
	printf("%ld %.3f\n", rounds, (double)(now_ns() - begin) / NS);
	return 0;
}

/* Scans of which only status and time stamp are chosen. */
struct sample {
	uint32_t status;
	uint32_t hole;
	int64_t ns;
};

static const char *events_path;
static int64_t woken[CHANGES_MAX];
static int woken_count;

/* Runs in a separate thread, so that nothing else delays it. */
static void *watch_events(void *unused)
{
	int fd = open_or_die(events_path);
	char text[4096];

	(void)unused;
	for (;;) {
		struct pollfd wait = { .fd = fd, .events = POLLPRI };

		if (pread(fd, text, sizeof(text), 0) < 0)
			die(events_path);
		if (poll(&wait, 1, -1) > 0 && woken_count < CHANGES_MAX)
			woken[woken_count++] = now_ns();
	}
	return NULL;
}

static int do_wake(char **arg)
{
	static struct sample samples[4096];
	static int64_t changed[CHANGES_MAX];
	int fd = open_or_die(arg[0]);
	uint32_t state = QS1_STATE_COUNT;
	int changes = 0;
	pthread_t watcher;
	int i, wake;

	signal(SIGTERM, stop);
	events_path = arg[1];
	if (pthread_create(&watcher, NULL, watch_events, NULL))
		die("thread");
	while (wait_readable(fd, INT64_MAX)) {
		ssize_t got = read(fd, samples, sizeof(samples));

		if (got < 0)
			die(arg[0]);
		for (i = 0; i < got / (ssize_t)sizeof(*samples); i++) {
			uint32_t next = samples[i].status & QS1_STATUS_STATE_MASK;

			if (next != state && state != QS1_STATE_COUNT && changes < CHANGES_MAX)
				changed[changes++] = samples[i].ns;
			state = next;
		}
	}
	/* One wake-up can be for several changes, and an event need not change the state. */
	for (i = 0, wake = 0; i < changes; i++) {
		while (wake < woken_count && woken[wake] < changed[i])
			wake++;
		if (wake < woken_count)
			printf("%.0f\n", (woken[wake] - changed[i]) / 1e3);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "read"))
		return do_read(argv + 2);
	if (argc == 5 && !strcmp(argv[1], "poll"))
		return do_poll(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "wake"))
		return do_wake(argv + 2);
	fprintf(stderr, "usage: read DEVICE BYTES SECONDS | poll FOLDER HZ SECONDS | "
			"wake DEVICE EVENTS\n");
	return 2;
}
