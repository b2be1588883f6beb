// SPDX-License-Identifier: GPL-2.0-only
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "../lib/protocol.h"
#include "../lib/util.h"

struct client {
	FILE *stream;
	int fd;
};

static void set_timeout(int fd, time_t seconds)
{
	const struct timeval timeout = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd __cleanup(close_fd) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int connected;

	if (fd < 0) {
		return -errno;
	}
	if (strlen(path) >= sizeof(address.sun_path)) {
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, path);
	set_timeout(fd, CLIENT_TIMEOUT_S);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		return -errno;
	}
	connected = fd;
	fd = -1;
	return connected;
}

int client_open(const char *path, struct client **ret_client, char *err, size_t size)
{
	struct client *client __cleanup(free_ptr) = calloc(1, sizeof(*client));
	int fd;

	if (!client) {
		return -ENOMEM;
	}
	fd = connect_to(path);
	if (fd < 0) {
		snprintf(err, size, "%s: %s%s", path, strerror(-fd),
			 fd == -ENOENT || fd == -ECONNREFUSED
				 ? "; qs1d does not run, see 'systemctl status qs1d'"
			 : fd == -EACCES ? "; join the group of the socket, or use sudo"
					 : "");
		return -ENOTCONN;
	}
	client->fd = fd;
	client->stream = fdopen(fd, "r+");
	if (!client->stream) {
		close(fd);
		return -ENOMEM;
	}
	*ret_client = client;
	client = NULL;
	return 0;
}

void client_close(struct client *client)
{
	fclose(client->stream);
	free(client);
}

/* The next line as an object of our version. */
static int receive(struct client *client, struct json_object **ret_object, char *err, size_t size)
{
	char *line __cleanup(free_ptr) = NULL;
	struct json_object *object, *version;
	size_t room = 0;

	errno = 0;
	if (getline(&line, &room, client->stream) < 0) {
		int ret = feof(client->stream) || !errno ? -ECONNRESET : -errno;

		snprintf(err, size, "%s",
			 ret == -EAGAIN	      ? "qs1d does not answer"
			 : ret == -ECONNRESET ? "qs1d closed the connection"
					      : strerror(-ret));
		return -ENOTCONN;
	}
	object = json_tokener_parse(line);
	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, "v", &version) ||
	    json_object_get_int(version) != PROTOCOL_VERSION) {
		snprintf(err, size, "expected protocol version %d from qs1d, found: %.100s",
			 PROTOCOL_VERSION, line);
		json_object_put(object);
		return -EPROTO;
	}
	*ret_object = object;
	return 0;
}

static int take_answer(struct json_object *answer, struct json_object **ret_result, char *err,
		       size_t size)
{
	struct json_object *ok = NULL, *result = NULL, *error = NULL, *message = NULL;

	json_object_object_get_ex(answer, "ok", &ok);
	if (json_object_get_boolean(ok)) {
		json_object_object_get_ex(answer, "result", &result);
		*ret_result = json_object_get(result);
		return 0;
	}
	json_object_object_get_ex(answer, "error", &error);
	json_object_object_get_ex(error, "message", &message);
	snprintf(err, size, "%s", message ? json_object_get_string(message) : "no reason given");
	return -EREMOTEIO;
}

int client_call(struct client *client, const char *name, struct json_object *arguments,
		struct json_object **ret_result, char *err, size_t size)
{
	struct json_object *request = arguments ?: json_object_new_object();
	struct json_object *answer;
	int ret;

	json_object_object_add(request, "v", json_object_new_int(PROTOCOL_VERSION));
	json_object_object_add(request, "cmd", json_object_new_string(name));
	fprintf(client->stream, "%s\n",
		json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
	json_object_put(request);
	if (fflush(client->stream) < 0) {
		snprintf(err, size, "cannot send to qs1d: %s", strerror(errno));
		return -ENOTCONN;
	}
	ret = receive(client, &answer, err, size);
	if (ret < 0) {
		return ret;
	}
	ret = take_answer(answer, ret_result, err, size);
	json_object_put(answer);
	return ret;
}

int client_event(struct client *client, struct json_object **ret_event, char *err, size_t size)
{
	struct json_object *object, *event;
	int ret;

	set_timeout(client->fd, 0);
	ret = receive(client, &object, err, size);
	if (ret < 0) {
		return ret;
	}
	if (!json_object_object_get_ex(object, "event", &event)) {
		snprintf(err, size, "expected an event from qs1d");
		ret = -EPROTO;
	} else {
		*ret_event = json_object_get(event);
	}
	json_object_put(object);
	return ret;
}
