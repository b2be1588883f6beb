// SPDX-License-Identifier: GPL-2.0-only
#include "reporter.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <syslog.h>

#include "../lib/clock.h"
#include "../lib/file.h"
#include "../lib/log.h"
#include "../lib/thread.h"
#include "journal.h"

#define STOP_S 2
#define MESSAGE_SIZE 512

/* An event, or a message. */
struct report {
	bool is_event;
	struct event event;
	int priority;
	char text[MESSAGE_SIZE];
};

/* One a process, as the log is. A thread that hangs at its end keeps using it. */
static struct {
	const struct reporter_output *output;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool runs;
	bool ends;
	struct report queue[REPORTER_QUEUE];
	unsigned int first;
	unsigned int count;
	unsigned int dropped;
	bool has_metrics;
	char path[PATH_MAX];
	char metrics[REPORTER_METRICS_SIZE];
	size_t metrics_length;
	int metrics_result;
} reporter = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

static int write_metrics(const char *path, const char *text, size_t n)
{
	/* Another user serves them. */
	return file_replace(path, text, n, 0644, false);
}

const struct reporter_output reporter_journal = {
	.event = journal_event,
	.message = log_emit,
	.metrics = write_metrics,
};

/* A free place of the queue, or NULL. Called with the lock. */
static struct report *put(void)
{
	if (reporter.count == REPORTER_QUEUE) {
		reporter.dropped++;
		return NULL;
	}
	pthread_cond_signal(&reporter.wake);
	return &reporter.queue[(reporter.first + reporter.count++) % REPORTER_QUEUE];
}

static void put_message(int priority, const char *text)
{
	struct report *report;

	pthread_mutex_lock(&reporter.lock);
	report = put();
	if (report) {
		report->is_event = false;
		report->priority = priority;
		snprintf(report->text, sizeof(report->text), "%s", text);
	}
	pthread_mutex_unlock(&reporter.lock);
}

void reporter_event(const struct event *event)
{
	struct report *report;

	pthread_mutex_lock(&reporter.lock);
	report = put();
	if (report) {
		report->is_event = true;
		report->event = *event;
	}
	pthread_mutex_unlock(&reporter.lock);
}

void reporter_metrics(const char *path, const char *text, size_t n)
{
	pthread_mutex_lock(&reporter.lock);
	snprintf(reporter.path, sizeof(reporter.path), "%s", path);
	memcpy(reporter.metrics, text, n);
	reporter.metrics_length = n;
	reporter.has_metrics = true;
	pthread_cond_signal(&reporter.wake);
	pthread_mutex_unlock(&reporter.lock);
}

/* These are called with the lock, which they give up while the output works. */

static void send_report(void)
{
	struct report report = reporter.queue[reporter.first];

	reporter.first = (reporter.first + 1) % REPORTER_QUEUE;
	reporter.count--;
	pthread_mutex_unlock(&reporter.lock);
	if (report.is_event) {
		reporter.output->event(&report.event);
	} else {
		reporter.output->message(report.priority, report.text);
	}
	pthread_mutex_lock(&reporter.lock);
}

static void send_dropped(void)
{
	unsigned int dropped = reporter.dropped;
	char text[64];

	reporter.dropped = 0;
	pthread_mutex_unlock(&reporter.lock);
	snprintf(text, sizeof(text), "%u messages dropped: the log was too slow", dropped);
	reporter.output->message(LOG_WARNING, text);
	pthread_mutex_lock(&reporter.lock);
}

static void send_metrics(void)
{
	static char path[PATH_MAX], text[REPORTER_METRICS_SIZE];
	size_t n = reporter.metrics_length;
	int ret;

	strcpy(path, reporter.path);
	memcpy(text, reporter.metrics, n);
	reporter.has_metrics = false;
	pthread_mutex_unlock(&reporter.lock);
	ret = reporter.output->metrics(path, text, n);
	if (ret < 0 && ret != reporter.metrics_result) {
		log_err("%s: %s", path, strerror(-ret));
	}
	reporter.metrics_result = ret;
	pthread_mutex_lock(&reporter.lock);
}

static void *run(void *ctx)
{
	pthread_mutex_lock(&reporter.lock);
	while (!reporter.ends || reporter.count || reporter.has_metrics) {
		if (reporter.count) {
			send_report();
		} else if (reporter.dropped) {
			send_dropped();
		} else if (reporter.has_metrics) {
			send_metrics();
		} else {
			pthread_cond_wait(&reporter.wake, &reporter.lock);
		}
	}
	reporter.runs = false;
	pthread_mutex_unlock(&reporter.lock);
	return ctx;
}

int reporter_start(const struct reporter_output *output)
{
	int ret;

	/* A predecessor that hangs has the queue still. */
	if (reporter.runs) {
		return -EBUSY;
	}
	reporter.output = output;
	reporter.ends = false;
	reporter.runs = true;
	ret = thread_start(&reporter.thread, "report", run, NULL);
	if (ret < 0) {
		reporter.runs = false;
		return ret;
	}
	log_set_sink(put_message);
	return 0;
}

void reporter_stop(void)
{
	struct timespec end;

	log_set_sink(NULL);
	pthread_mutex_lock(&reporter.lock);
	reporter.ends = true;
	pthread_cond_signal(&reporter.wake);
	pthread_mutex_unlock(&reporter.lock);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += STOP_S;
	if (pthread_timedjoin_np(reporter.thread, NULL, &end)) {
		pthread_detach(reporter.thread);
	}
}
