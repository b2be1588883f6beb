// SPDX-License-Identifier: GPL-2.0-or-later
/* The HTTP server: routes, roles, bodies, cookies, events, clients that stall. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "db.h"
#include "http.h"

#define PASSWORD "a long password"
#define REPLY_SIZE 65536

static struct http_server *server;
static struct http_channel *channel;
static struct auth *auth;
static sqlite3 *db;
static char tokens[AUTH_ROLE_COUNT][AUTH_SECRET_SIZE];
static char reader[AUTH_SECRET_SIZE];
static char reply[REPLY_SIZE];
static char err[256];
static char path[] = "/tmp/qs1-http-XXXXXX";

static void say_hello(struct http_request *request)
{
	http_reply(request, 200, "text/plain", "hello", 5);
}

static void say_serial(struct http_request *request)
{
	const char *serial = http_param(request, "serial");

	http_reply(request, 200, "text/plain", serial, strlen(serial));
}

static void take_limit(struct http_request *request)
{
	const char *reason;
	double w;
	int64_t n;

	if (http_text(request, "reason", 0, 8, &reason) &&
	    http_number(request, "w", 0, 1000, __builtin_nan(""), &w) &&
	    http_query_int(request, "n", 1, 9, 5, &n)) {
		http_reply_error(request, 409, "seen", "%s %g %d", reason, w, (int)n);
	}
}

static void take_slowly(struct http_request *request)
{
	usleep(100000);
	http_reply_none(request);
}

static void take_bytes(struct http_request *request)
{
	char text[32];
	size_t n;

	http_body(request, &n);
	snprintf(text, sizeof(text), "%zu", n);
	http_reply(request, 200, "text/plain", text, strlen(text));
}

static void log_in(struct http_request *request)
{
	char secret[AUTH_SECRET_SIZE];
	struct auth_identity who;
	const char *name, *password;

	if (!http_text(request, "name", 1, 63, &name) ||
	    !http_text(request, "password", 1, 256, &password)) {
		return;
	}
	if (auth_login(auth, name, password, http_from(request), secret, &who, NULL) < 0) {
		http_reply_errno(request, -EACCES, "expected a known name and its password");
		return;
	}
	http_set_session(request, secret);
	http_reply_none(request);
}

static void follow(struct http_request *request)
{
	http_reply_channel(request, channel, "status", "{\"a\":1}");
}

#define PEOPLE (AUTH_BIT(AUTH_OWNER) | AUTH_BIT(AUTH_INSTALLER))

static const struct http_route routes[] = {
	{ "GET", "/hello", AUTH_PUBLIC, 0, 0, say_hello },
	{ "GET", "/inverters/{serial}/history", AUTH_ANY, 0, 0, say_serial },
	{ "PUT", "/limits", PEOPLE, 0, 256, take_limit },
	{ "GET", "/limits", PEOPLE, 0, 0, say_hello },
	{ "GET", "/slow", AUTH_PUBLIC, HTTP_WORKER, 0, take_slowly },
	{ "POST", "/scan", AUTH_PUBLIC, HTTP_BINARY, 20000, take_bytes },
	{ "POST", "/session", AUTH_PUBLIC, HTTP_WORKER | HTTP_CREDENTIAL, 4096, log_in },
	{ "GET", "/stream", AUTH_PUBLIC, 0, 0, follow },
};

static const struct http_file files[] = {
	{ "/", "text/html; charset=utf-8", NULL, "\"1\"", "<p>", 3 },
};

static int connect_to_server(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(http_port(server)),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval timeout = { .tv_sec = 5 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void send_text(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Read until the end, or until @stop is there. */
static void read_reply(int fd, const char *stop)
{
	size_t n = 0;
	ssize_t got;

	reply[0] = '\0';
	while (n < sizeof(reply) - 1 && !(stop && strstr(reply, stop)) &&
	       (got = recv(fd, reply + n, sizeof(reply) - 1 - n, 0)) > 0) {
		n += got;
		reply[n] = '\0';
	}
}

/* One request; returns the status, the reply is in @reply. */
static int ask(const char *method, const char *target, const char *headers, const char *body)
{
	char text[4096];
	int fd = connect_to_server();
	int status = 0;

	snprintf(text, sizeof(text),
		 "%s %s HTTP/1.1\r\nHost: ecu\r\nConnection: close\r\n%sContent-Length: "
		 "%zu\r\n\r\n%s",
		 method, target, headers, strlen(body), body);
	send_text(fd, text);
	read_reply(fd, NULL);
	close(fd);
	sscanf(reply, "HTTP/1.1 %d", &status);
	return status;
}

static const char *bearer(const char *token)
{
	static char text[512];

	snprintf(text, sizeof(text),
		 "Authorization: Bearer %s\r\nContent-Type: application/json\r\n", token);
	return text;
}

static bool has(const char *text)
{
	return strstr(reply, text);
}

static void paths_and_methods_are_found_or_named(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", "/hello", "", ""), 200);
	assert_true(has("\r\n\r\nhello"));
	assert_true(has("Content-Security-Policy: default-src 'none'"));
	assert_true(has("X-Content-Type-Options: nosniff"));
	assert_int_equal(ask("HEAD", "/hello", "", ""), 200);
	assert_false(has("hello"));
	assert_int_equal(ask("GET", "/nothing", "", ""), 404);
	assert_true(has("\"code\":\"not_found\""));
	assert_int_equal(ask("GET", "/hello/", "", ""), 404);
	assert_int_equal(ask("DELETE", "/hello", "", ""), 405);
	assert_true(has("Allow: GET"));
	assert_int_equal(ask("PUT", "/", "", ""), 405);
	assert_int_equal(ask("GET", "/", "", ""), 200);
	assert_true(has("ETag: \"1\""));
	assert_int_equal(ask("GET", "/", "If-None-Match: \"1\"\r\n", ""), 304);
}

static void parameters_of_the_path_are_decoded(void **state)
{
	(void)state;
	assert_int_equal(
		ask("GET", "/inverters/8060%2000/history", bearer(tokens[AUTH_VIEWER]), ""), 200);
	assert_true(has("\r\n\r\n8060 00"));
	assert_int_equal(ask("GET", "/inverters//history", bearer(tokens[AUTH_VIEWER]), ""), 404);
}

static void each_role_has_its_rights(void **state)
{
	static const int expected[AUTH_ROLE_COUNT] = { 409, 409, 403, 403 };

	(void)state;
	for (int role = 0; role < AUTH_ROLE_COUNT; role++) {
		assert_int_equal(ask("PUT", "/limits", bearer(tokens[role]), "{\"w\":5}"),
				 expected[role]);
	}
	assert_int_equal(ask("PUT", "/limits", bearer(reader), "{\"w\":5}"), 403);
	assert_int_equal(ask("GET", "/limits", bearer(reader), ""), 200);
	assert_int_equal(ask("GET", "/limits", "", ""), 401);
	assert_true(has("WWW-Authenticate: Bearer"));
	assert_int_equal(ask("GET", "/limits", "Authorization: Basic YTpi\r\n", ""), 401);
	assert_int_equal(ask("GET", "/limits", bearer("qs1_wrong"), ""), 401);
}

static void reading_is_open_only_where_the_owner_says_so(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", "/inverters/1/history", "", ""), 401);
	http_open_reads(server, true);
	assert_int_equal(ask("GET", "/inverters/1/history", "", ""), 200);
	assert_int_equal(ask("GET", "/limits", "", ""), 401);
	assert_int_equal(ask("PUT", "/limits", "Content-Type: application/json\r\n", "{}"), 401);
	http_open_reads(server, false);
}

static void bodies_are_checked(void **state)
{
	static const struct {
		const char *target;
		const char *body;
		int status;
		const char *words;
	} tests[] = {
		{ "/limits", "{\"w\":5,\"reason\":\"sun\"}", 409, "sun 5 5" },
		{ "/limits?n=9", "{\"w\":5}", 409, " 5 9" },
		{ "/limits?n=10", "{\"w\":5}", 400, "n: expected an integer from 1 to 9" },
		{ "/limits?n=", "{\"w\":5}", 400, "found ''" },
		{ "/limits", "{\"w\":1001}", 400, "w: expected a number from 0 to 1000" },
		{ "/limits", "{\"w\":\"5\"}", 400, "w: expected a number" },
		{ "/limits", "{\"w\":NaN}", 400, "expected" },
		{ "/limits", "{}", 400, "found none" },
		{ "/limits", "{\"w\":5,\"reason\":\"longer than eight\"}", 400, "0 to 8 bytes" },
		{ "/limits", "{\"w\":5,\"reason\":\"a\\u0000b\"}", 400, "a text of" },
		{ "/limits", "{\"w\":5,\"reason\":\"a\\nb\"}", 400, "a text of" },
		{ "/limits", "[1]", 400, "expected a JSON object" },
		{ "/limits", "", 400, "expected a JSON object" },
		{ "/limits", "{\"w\":5", 400, "expected a JSON object" },
		{ "/limits", "{\"w\":\"\xff\"}", 400, "expected a JSON object" },
		{ "/limits", "{\"w\":5} trailing", 400, "expected a JSON object" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		int status = ask("PUT", tests[i].target, bearer(tokens[AUTH_OWNER]), tests[i].body);

		if (status != tests[i].status || !has(tests[i].words)) {
			fail_msg("%s %s: %s", tests[i].target, tests[i].body, reply);
		}
	}
	assert_int_equal(ask("PUT", "/limits", "Content-Type: text/plain\r\n", "{\"w\":5}"), 401);
}

static void bodies_that_are_too_long_are_refused(void **state)
{
	static char body[300];

	(void)state;
	memset(body, ' ', sizeof(body) - 1);
	assert_int_equal(ask("PUT", "/limits", bearer(tokens[AUTH_OWNER]), body), 413);
	assert_true(has("at most 256 bytes"));
	assert_int_equal(ask("POST", "/scan", "", body), 200);
	assert_true(has("\r\n\r\n299"));
}

static void cookie_is_hidden_from_scripts_and_other_sites(void **state)
{
	char cookie[256] = "";
	char headers[512];

	(void)state;
	assert_int_equal(ask("POST", "/session", "Content-Type: application/json\r\n",
			     "{\"name\":\"anna\",\"password\":\"" PASSWORD "\"}"),
			 204);
	assert_true(has("HttpOnly"));
	assert_true(has("SameSite=Strict"));
	assert_int_equal(sscanf(strstr(reply, "qs1_session="), "%200[^;]", cookie), 1);
	snprintf(headers, sizeof(headers), "Cookie: %s\r\nContent-Type: application/json\r\n",
		 cookie);
	assert_int_equal(ask("PUT", "/limits", headers, "{\"w\":5}"), 409);
	snprintf(headers, sizeof(headers),
		 "Cookie: %s\r\nOrigin: https://evil.example\r\nContent-Type: application/json\r\n",
		 cookie);
	assert_int_equal(ask("PUT", "/limits", headers, "{\"w\":5}"), 403);
	snprintf(headers, sizeof(headers),
		 "Cookie: %s\r\nOrigin: https://ecu\r\nContent-Type: application/json\r\n", cookie);
	assert_int_equal(ask("PUT", "/limits", headers, "{\"w\":5}"), 409);
	assert_int_equal(ask("PUT", "/limits", "Cookie: qs1_session=guess\r\n", "{\"w\":5}"), 401);
}

static void password_never_stands_in_a_message(void **state)
{
	(void)state;
	assert_int_equal(ask("POST", "/session", "Content-Type: application/json\r\n",
			     "{\"name\":\"anna\",\"password\":[\"top secret\"]}"),
			 400);
	assert_false(has("top secret"));
}

static void events_reach_all_followers_in_order(void **state)
{
	int fd[100];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++) {
		fd[i] = connect_to_server();
		send_text(fd[i], "GET /stream HTTP/1.1\r\nHost: ecu\r\n\r\n");
		read_reply(fd[i], "event: status\ndata: {\"a\":1}\n\n");
		assert_true(has("text/event-stream"));
	}
	for (int n = 1; n <= 20; n++) {
		char data[32];

		snprintf(data, sizeof(data), "{\"n\":%d}", n);
		http_channel_send(channel, "inverter", data);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++) {
		read_reply(fd[i], "{\"n\":20}");
		assert_true(has("event: inverter\ndata: {\"n\":1}\n\n"));
		assert_true(has("data: {\"n\":20}"));
		close(fd[i]);
	}
}

static void follower_goes_on_after_the_last_event_that_it_knows(void **state)
{
	int fd;

	(void)state;
	for (int n = 0; n < 40; n++) {
		http_channel_send(channel, "inverter", "{\"old\":true}");
	}
	http_channel_send(channel, "inverter", "{\"new\":true}");
	fd = connect_to_server();
	send_text(fd, "GET /stream HTTP/1.1\r\nHost: ecu\r\nLast-Event-ID: 1\r\n\r\n");
	read_reply(fd, "event: reset");
	assert_true(has("event: reset"));
	assert_false(has("{\"old\":true}"));
	http_channel_send(channel, "inverter", "{\"newest\":true}");
	read_reply(fd, "newest");
	assert_true(has("newest"));
	close(fd);
}

static void stalled_clients_cost_the_others_nothing(void **state)
{
	int fd[50];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++) {
		fd[i] = connect_to_server();
		if (i % 2) {
			send_text(fd[i], "PUT /limits HTTP/1.1\r\nHost: e");
		}
	}
	assert_int_equal(ask("GET", "/hello", "", ""), 200);
	for (size_t i = 0; i < ARRAY_SIZE(fd); i++) {
		close(fd[i]);
	}
}

static void workers_do_not_hold_the_server_up(void **state)
{
	int slow = connect_to_server();

	(void)state;
	send_text(slow, "GET /slow HTTP/1.1\r\nHost: ecu\r\nConnection: close\r\n\r\n");
	assert_int_equal(ask("GET", "/hello", "", ""), 200);
	read_reply(slow, NULL);
	assert_true(has("HTTP/1.1 204"));
	close(slow);
}

static void plain_http_is_for_loopback_alone(void **state)
{
	struct http_config config = { .address = "0.0.0.0", .route = routes, .route_count = 1 };
	struct http_server *other = NULL;

	(void)state;
	assert_int_equal(http_start(&other, &config, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "expected TLS"));
	config.address = "not an address";
	assert_int_equal(http_start(&other, &config, err, sizeof(err)), -EINVAL);
	assert_null(other);
}

static int start(void **state)
{
	struct http_config config = {
		.address = "127.0.0.1",
		.route = routes,
		.route_count = ARRAY_SIZE(routes),
		.file = files,
		.file_count = ARRAY_SIZE(files),
		.cookie = "qs1_session",
	};
	struct auth_token token = { .name = "test", .expires_ms = INT64_MAX };

	(void)state;
	close(mkstemp(path));
	if (db_open(&db, path, DB_WRITE, err, sizeof(err)) < 0 ||
	    auth_open(&auth, db, err, sizeof(err)) < 0) {
		return -1;
	}
	token.user_id = auth_user_add(auth, 0, "anna", AUTH_OWNER, PASSWORD);
	for (int role = 0; role < AUTH_ROLE_COUNT; role++) {
		token.role = role;
		if (auth_token_add(auth, &token, tokens[role]) < 0) {
			return -1;
		}
	}
	token.role = AUTH_OWNER;
	token.read_only = true;
	if (auth_token_add(auth, &token, reader) < 0) {
		return -1;
	}
	config.auth = auth;
	if (http_start(&server, &config, err, sizeof(err)) < 0) {
		print_error("%s\n", err);
		return -1;
	}
	channel = http_channel_new(server, 32);
	return channel ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	http_stop(server);
	http_channel_free(channel);
	auth_close(auth);
	db_close(db);
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_and_methods_are_found_or_named),
		cmocka_unit_test(parameters_of_the_path_are_decoded),
		cmocka_unit_test(each_role_has_its_rights),
		cmocka_unit_test(reading_is_open_only_where_the_owner_says_so),
		cmocka_unit_test(bodies_are_checked),
		cmocka_unit_test(bodies_that_are_too_long_are_refused),
		cmocka_unit_test(cookie_is_hidden_from_scripts_and_other_sites),
		cmocka_unit_test(password_never_stands_in_a_message),
		cmocka_unit_test(events_reach_all_followers_in_order),
		cmocka_unit_test(follower_goes_on_after_the_last_event_that_it_knows),
		cmocka_unit_test(stalled_clients_cost_the_others_nothing),
		cmocka_unit_test(workers_do_not_hold_the_server_up),
		cmocka_unit_test(plain_http_is_for_loopback_alone),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
