// SPDX-License-Identifier: GPL-2.0-or-later
/* Two threads that run the handlers which may block. */
#include <sys/resource.h>

#include "../lib/thread.h"
#include "http_server.h"

#define QUEUE_MAX 64

/* The next request, or NULL when the server stops. */
static struct http_request *take(struct http_server *server)
{
	struct http_request *request;

	pthread_mutex_lock(&server->lock);
	while (!server->queue && !server->stopping) {
		pthread_cond_wait(&server->wake, &server->lock);
	}
	request = server->queue;
	if (request) {
		server->queue = request->next;
		server->queued--;
	}
	pthread_mutex_unlock(&server->lock);
	return request;
}

static void *run(void *ctx)
{
	struct http_server *server = ctx;
	struct http_request *request;

	/* Of this thread alone. The system call filter of the packaged units refuses it; then a
	 * worker keeps the daemon's priority.
	 */
	if (server->config.worker_nice) {
		setpriority(PRIO_PROCESS, 0, server->config.worker_nice);
	}
	while ((request = take(server))) {
		request->route->handler(request);
		MHD_resume_connection(request->connection);
	}
	return NULL;
}

int http_workers_start(struct http_server *server)
{
	int ret = 0;

	while (server->workers < (int)ARRAY_SIZE(server->worker) && ret == 0) {
		ret = thread_start(&server->worker[server->workers], "http-worker", run, server);
		server->workers += ret == 0;
	}
	return ret;
}

void http_workers_stop(struct http_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->stopping = true;
	pthread_cond_broadcast(&server->wake);
	pthread_mutex_unlock(&server->lock);
	while (server->workers > 0) {
		pthread_join(server->worker[--server->workers], NULL);
	}
}

bool http_work(struct http_request *request)
{
	struct http_server *server = request->server;
	bool room;

	pthread_mutex_lock(&server->lock);
	room = server->queued < QUEUE_MAX && !server->stopping;
	if (room) {
		/* Before a worker can resume it. */
		MHD_suspend_connection(request->connection);
		request->next = NULL;
		if (server->queue) {
			server->queue_end->next = request;
		} else {
			server->queue = request;
		}
		server->queue_end = request;
		server->queued++;
		pthread_cond_signal(&server->wake);
	}
	pthread_mutex_unlock(&server->lock);
	return room;
}
