// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs in the virtual board for test_stream.py.
 *
 *   events DEVICE COUNT     prints COUNT events of an IIO device as they come, each as the
 *                           name that its files begin with
 *   stamps DEVICE NEWEST SECONDS
 *                           reads a buffer of phases and time stamps, and each millisecond NEWEST,
 * the attribute with the phase of the newest scan; prints for each, in ns, its stamp less the time
 * after that, and the next scan's stamp less the time before
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/iio/events.h>
#include <linux/iio/types.h>

#define NS 1000000000LL
/* A minute of scans; a look in each millisecond. */
#define SCANS_MAX (60 * 20000)
#define LOOKS_MAX (60 * 1000)
/* Half a grid cycle, within which the phase identifies a scan: 20 kHz / 60 Hz / 2. */
#define HALF_CYCLE 166

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_or_die(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		die(path);
	return fd;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS + now.tv_nsec;
}

/* As Documentation/ABI/testing/sysfs-bus-iio of the kernel names the files. */
static const char *const channels[] = {
	[IIO_ALTVOLTAGE] = "altvoltage", [IIO_PHASE] = "phase", [IIO_TEMP] = "temp"
};
static const char *const types[] = { [IIO_EV_TYPE_THRESH] = "thresh", [IIO_EV_TYPE_MAG] = "mag" };
static const char *const directions[] = { [IIO_EV_DIR_EITHER] = "either",
					  [IIO_EV_DIR_RISING] = "rising",
					  [IIO_EV_DIR_FALLING] = "falling" };

#define NAME(table, index) ((index) < sizeof(table) / sizeof(*(table)) ? (table)[index] : NULL)

static void print_event(uint64_t id)
{
	const char *channel = NAME(channels, IIO_EVENT_CODE_EXTRACT_CHAN_TYPE(id));
	const char *type = NAME(types, IIO_EVENT_CODE_EXTRACT_TYPE(id));
	const char *direction = NAME(directions, IIO_EVENT_CODE_EXTRACT_DIR(id));

	if (!channel || !type || !direction)
		printf("unknown-%016llx\n", (unsigned long long)id);
	else
		printf("in_%s%d_%s_%s\n", channel, IIO_EVENT_CODE_EXTRACT_CHAN(id), type,
		       direction);
	fflush(stdout);
}

static int do_events(char **arg)
{
	int fd = open_or_die(arg[0]);
	int left = atoi(arg[1]);
	int events;

	if (ioctl(fd, IIO_GET_EVENT_FD_IOCTL, &events))
		die("event file");
	puts("ready");
	fflush(stdout);
	for (; left > 0; left--) {
		struct iio_event_data event;

		if (read(events, &event, sizeof(event)) != sizeof(event))
			die("event");
		print_event(event.id);
	}
	return 0;
}

struct sample {
	uint16_t phase;
	uint16_t hole[3];
	int64_t ns;
};

struct look {
	int64_t before;
	int64_t after;
	uint16_t phase;
};

static struct sample samples[SCANS_MAX];
static struct look looks[LOOKS_MAX];
static int scans;

/* All that is there. */
static void drain(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	while (scans < SCANS_MAX && poll(&wait, 1, 0) > 0) {
		ssize_t got = read(fd, samples + scans, (SCANS_MAX - scans) * sizeof(*samples));

		if (got < 0)
			die("buffer");
		scans += got / sizeof(*samples);
	}
}

static void look_at(int fd, struct look *look)
{
	char text[32] = "";

	look->before = now_ns();
	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		die("newest scan");
	look->after = now_ns();
	look->phase = atoi(text);
}

/* The scan with this phase whose stamp is nearest to the look; NULL when the stream has none. */
static const struct sample *find(const struct look *look)
{
	int low = 0, high = scans - 1;
	int away;

	while (low < high) {
		int middle = (low + high) / 2;

		if (samples[middle].ns < look->after)
			low = middle + 1;
		else
			high = middle;
	}
	for (away = 0; away < HALF_CYCLE; away++) {
		if (low - away >= 0 && samples[low - away].phase == look->phase)
			return &samples[low - away];
		if (low + away < scans && samples[low + away].phase == look->phase)
			return &samples[low + away];
	}
	return NULL;
}

static int do_stamps(char **arg)
{
	const struct timespec step = { .tv_nsec = NS / 1000 };
	int device = open_or_die(arg[0]);
	int newest = open_or_die(arg[1]);
	int64_t end = now_ns() + atoi(arg[2]) * NS;
	int count = 0;
	int i;

	while (now_ns() < end && count < LOOKS_MAX) {
		drain(device);
		nanosleep(&step, NULL);
		look_at(newest, &looks[count++]);
	}
	sleep(1);
	drain(device);
	for (i = 0; i < count; i++) {
		const struct sample *sample = find(&looks[i]);

		if (sample && sample + 1 < samples + scans)
			printf("%lld %lld\n", (long long)(sample->ns - looks[i].after),
			       (long long)(sample[1].ns - looks[i].before));
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "events"))
		return do_events(argv + 2);
	if (argc == 5 && !strcmp(argv[1], "stamps"))
		return do_stamps(argv + 2);
	fprintf(stderr, "usage: events DEVICE COUNT | stamps DEVICE NEWEST SECONDS\n");
	return 2;
}
