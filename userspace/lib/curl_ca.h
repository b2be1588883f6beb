/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The certificate authorities that an HTTPS client trusts. */
#ifndef QS1_CURL_CA_H
#define QS1_CURL_CA_H

#include <curl/curl.h>

/* Trust the authorities of the file @ca alone. Debian's libcurl would add the public ones of its
 * folder. */
static inline void curl_ca_only(CURL *easy, const char *ca)
{
	curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

#endif /* QS1_CURL_CA_H */
