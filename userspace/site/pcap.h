/* SPDX-License-Identifier: GPL-2.0-only */
/* A capture file of 802.15.4 frames, link type 195 (with FCS), in the air's time. */
#ifndef QS1_SITE_PCAP_H
#define QS1_SITE_PCAP_H

#include <stdint.h>
#include <stdio.h>

/* Write the head to a new file. Return: 0, or a negative errno. */
int pcap_open(FILE **ret_file, const char *path);

/* One frame, FCS included. Return: 0, or -EIO. */
int pcap_write(FILE *file, uint64_t time_us, const uint8_t *frame, size_t n);

#endif /* QS1_SITE_PCAP_H */
