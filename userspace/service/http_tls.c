// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Replace the certificate of a running server. libmicrohttpd reads one certificate when it starts;
 * each connection gets the current one before its handshake begins.
 */
#include <string.h>

#include "http_server.h"

int http_set_tls(struct http_server *server, const struct tls_pair *pair)
{
	gnutls_certificate_credentials_t fresh, old;
	int ret = tls_credentials(pair, server->config.ask_client_cert, &fresh);

	if (ret < 0) {
		return ret;
	}
	pthread_mutex_lock(&server->lock);
	old = server->credentials[1];
	server->credentials[1] = server->credentials[0];
	server->credentials[0] = fresh;
	pthread_mutex_unlock(&server->lock);
	if (old) {
		gnutls_certificate_free_credentials(old);
	}
	return 0;
}

int http_renew_tls(struct http_server *const *servers, size_t count, struct tls_pair *pair,
		   struct tls_pair *loaded)
{
	bool same = strcmp(loaded->cert, pair->cert) == 0;
	int ret = 0;

	for (size_t i = 0; i < count && ret == 0 && !same; i++) {
		if (servers[i] && servers[i]->config.tls) {
			ret = http_set_tls(servers[i], loaded);
		}
	}
	if (ret < 0 || same) {
		tls_pair_free(loaded);
		return ret;
	}
	tls_pair_free(pair);
	*pair = *loaded;
	return 0;
}

void http_tls_free(struct http_server *server)
{
	for (size_t i = 0; i < ARRAY_SIZE(server->credentials); i++) {
		if (server->credentials[i]) {
			gnutls_certificate_free_credentials(server->credentials[i]);
		}
	}
}

void http_tls_connection(void *ctx, struct MHD_Connection *connection, void **connection_ctx,
			 enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = ctx;
	const union MHD_ConnectionInfo *info;

	(void)connection_ctx;
	if (code != MHD_CONNECTION_NOTIFY_STARTED) {
		return;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	pthread_mutex_lock(&server->lock);
	if (info && info->tls_session && server->credentials[0]) {
		gnutls_credentials_set(info->tls_session, GNUTLS_CRD_CERTIFICATE,
				       server->credentials[0]);
	}
	pthread_mutex_unlock(&server->lock);
}
