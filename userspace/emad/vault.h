/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys of customers. What an ECU has delivered is stored encrypted with the key of its customer
 * (XChaCha20-Poly1305); deletion of a customer destroys the key, and with it every copy of the
 * data, in backups too. The keys are in a file of their own, keys.db, which a backup of the data
 * does not hold.
 */
#ifndef EMAD_VAULT_H
#define EMAD_VAULT_H

#include <stddef.h>
#include <stdint.h>

#include "job.h"

/* What encryption adds: nonce and authentication tag. */
#define VAULT_OVERHEAD 40

struct vault;

/**
 * vault_open() - open or create the file of keys
 *
 * Return: 0 or a negative errno with @err.
 */
int vault_open(struct vault **ret_vault, const char *path, char *err, size_t size);
void vault_close(struct vault *vault);

/**
 * vault_seal() - encrypt, with a key that is made when the tenant has none
 * @bytes: @n of them
 * @ret_bytes: @n + VAULT_OVERHEAD bytes, to be freed
 *
 * Return: 0; -EKEYREVOKED for a tenant whose key was destroyed; -ENOMEM; or an error of the file.
 */
int vault_seal(struct vault *vault, int64_t tenant, const uint8_t *bytes, size_t n,
	       uint8_t **ret_bytes, size_t *ret_n);

/**
 * vault_open_bytes() - decrypt
 *
 * Return: 0; -EKEYREVOKED; -EBADMSG when the bytes were changed; -ENOMEM.
 */
int vault_open_bytes(struct vault *vault, int64_t tenant, const uint8_t *bytes, size_t n,
		     uint8_t **ret_bytes, size_t *ret_n);

/* Destroy a tenant's key for ever. Return: 0 or a negative errno. */
int vault_destroy(struct vault *vault, int64_t tenant);

/**
 * vault_job_keys() - keys by which this service signs jobs, made at the first use
 *
 * Return: 0 or a negative errno.
 */
int vault_job_keys(struct vault *vault, uint8_t ret_public[JOB_PUBLIC_BYTES],
		   uint8_t ret_secret[JOB_SECRET_BYTES]);

#endif /* EMAD_VAULT_H */
